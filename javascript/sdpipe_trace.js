// The Trace section: a picture that is pasted goes into the drop field; what takes longer is asked for until it is found.
(function() {
    "use strict";

    const TICK_MS = 700;

    const isShown = (element) => element !== null && element.getClientRects().length > 0;

    function paste(event) {
        const field = document.querySelector("#sdpipe_trace_file input[type=file]");
        const section = document.getElementById("sdpipe_section_trace");
        const typed = event.target instanceof Element && event.target.closest("input:not([type=file]), textarea, [contenteditable=true]");
        if (!field || !isShown(section) || typed || !event.clipboardData) return;
        const picture = Array.from(event.clipboardData.files).find((file) => file.type.startsWith("image/"));
        if (!picture) return;
        event.preventDefault();
        const files = new DataTransfer();
        files.items.add(picture);
        field.files = files.files;
        field.dispatchEvent(new Event("change", {bubbles: true}));
    }

    document.addEventListener("paste", paste);
    setInterval(() => {
        const isTracing = document.querySelector("#sdpipe_trace [data-sdpipe-tracing]") !== null;
        if (isTracing && window.sdpipe) window.sdpipe.ask("look_trace", {quietly: true});
    }, TICK_MS);
})();
