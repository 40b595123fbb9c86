// The Statistics section: has it counted when somebody looks at it, and asks again while a count is on its way.
(function() {
    "use strict";

    const TICK_MS = 500;
    let wasVisible = false;

    function tick() {
        const statistics = document.getElementById("sdpipe_statistics");
        const visible = Boolean(statistics) && !document.hidden && statistics.getClientRects().length > 0;
        if (visible && window.sdpipe && (!wasVisible || statistics.querySelector("[data-sdpipe-pending]"))) window.sdpipe.ask("statistics_look");
        wasVisible = visible;
    }

    setInterval(tick, TICK_MS);
})();
