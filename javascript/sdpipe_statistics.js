// The Statistics section: has it counted when somebody looks at it, and asks again while a count is on its way.
(function() {
    "use strict";

    const isPending = (statistics) => statistics.querySelector("[data-sdpipe-pending]") !== null;

    window.sdpipe.follow("sdpipe_statistics", () => window.sdpipe.ask("statistics_look"), (part) => isPending(part) ? 0 : Infinity);
})();
