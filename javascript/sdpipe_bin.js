// The Bin section: looks again while it is visible, restores the chosen ones together, gives the keyboard its place back
// after the section was written anew.
(function() {
    "use strict";

    const TICK_MS = 500;
    const WORKING_MS = 700;
    const QUIET_MS = 10000;
    const chosen = new Map();
    let wasVisible = false;
    let lastLook = 0;
    let kept = null;
    let watched = null;

    const get = (id) => document.getElementById(id);

    function tick() {
        const page = get("sdpipe_bin");
        if (!page || !window.sdpipe) return;
        watch(page);
        const visible = !document.hidden && page.getClientRects().length > 0;
        const isWorking = document.querySelector("#sdpipe_bin_work [data-sdpipe-working]") !== null;
        const isPending = page.querySelector("[data-sdpipe-pending]") !== null;
        const isDue = Date.now() - lastLook >= (isWorking || isPending ? WORKING_MS : QUIET_MS);
        if (visible && (!wasVisible || isDue)) {
            lastLook = Date.now();
            window.sdpipe.ask("bin", {do: "look", again: !wasVisible});
        }
        wasVisible = visible;
    }

    function watch(page) {
        if (watched === page) return;
        watched = page;
        page.addEventListener("focusin", (event) => {
            kept = event.target.dataset.sdpipeKeep || null;
        });
        page.addEventListener("focusout", (event) => {
            if (event.target.isConnected && event.relatedTarget) kept = null;
        });
        new MutationObserver(() => {
            showChosen();
            if (!kept || document.activeElement !== document.body) return;
            const all = Array.from(page.querySelectorAll("[data-sdpipe-keep]"));
            const same = all.find((found) => found.dataset.sdpipeKeep === kept && !found.disabled);
            if (same) same.focus({preventScroll: true});
        }).observe(page, {childList: true, subtree: true});
    }

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
        lastLook = Date.now() - WORKING_MS + 300;
        if ("sdpipeClearsPicks" in button.dataset && window.sdpipe) window.sdpipe.clearPicked();
    });
    document.addEventListener("visibilitychange", tick);
    setInterval(tick, TICK_MS);
})();
