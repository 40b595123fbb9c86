// The Bin section: looks again while it is visible, restores the chosen ones together, gives the keyboard its place back
// after the section was written anew.
(function() {
    "use strict";

    const WORKING_MS = 700;
    const QUIET_MS = 10000;
    const chosen = new Map();

    const looks = window.sdpipe.follow("sdpipe_bin", (isNew) => window.sdpipe.ask("bin", {do: "look", again: isNew}), () => {
        const isWorking = document.querySelector("#sdpipe_bin_work [data-sdpipe-working], #sdpipe_bin [data-sdpipe-pending]");
        return isWorking ? WORKING_MS : QUIET_MS;
    }, (page) => window.sdpipe.keepFocus(page, "data-sdpipe-keep", showChosen));

    // What is no longer in the bin is no longer chosen.
    function showChosen() {
        const boxes = Array.from(document.querySelectorAll("#sdpipe_bin [data-sdpipe-binned]"));
        const there = new Set(boxes.map((box) => box.dataset.sdpipeBinned));
        for (const one of Array.from(chosen.keys())) {
            if (!there.has(one)) chosen.delete(one);
        }
        for (const box of boxes) {
            const isChosen = chosen.has(box.dataset.sdpipeBinned);
            if (box.checked !== isChosen) box.checked = isChosen;
        }
        const button = document.querySelector("#sdpipe_bin [data-sdpipe-bin-restore]");
        if (!button) return;
        button.dataset.sdpipeWith = JSON.stringify({do: "restore-chosen", chosen: Array.from(chosen.values())});
        if (button.hidden !== (chosen.size === 0)) button.hidden = chosen.size === 0;
    }

    document.addEventListener("change", (event) => {
        const box = event.target instanceof Element ? event.target.closest("[data-sdpipe-binned]") : null;
        if (!box) return;
        if (box.checked) chosen.set(box.dataset.sdpipeBinned, JSON.parse(box.dataset.sdpipeBinned));
        else chosen.delete(box.dataset.sdpipeBinned);
        showChosen();
    });
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const button = target && target.closest("[data-sdpipe-ask='bin']");
        if (!button) return;
        // What is pressed is answered by the next look, which must not wait for its turn.
        looks.setLast(Date.now() - WORKING_MS + 300);
        if ("sdpipeClearsPicks" in button.dataset) window.sdpipe.clearPicked();
    });
})();
