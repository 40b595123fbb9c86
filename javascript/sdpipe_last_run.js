// The last run in the "Runs" accordion of txt2img and img2img: asked for while it is in sight, when a picture has come and
// as long as the run is going on. Never while nobody can see it. The recipes of "Then" are asked for when it comes into sight.
(function() {
    "use strict";

    const TABS = ["txt2img", "img2img"];
    const TICK_MS = 1000;
    const POLL_MS = 3000;
    const SETTLE_MS = 700;
    const states = TABS.map((tab) => ({tab, wasVisible: false, isWatched: false, last: 0, due: 0}));

    const get = (id) => document.getElementById(id);

    function ask(state) {
        state.last = Date.now();
        state.due = 0;
        window.sdpipe.press(`sdpipe_${state.tab}_ask_last`);
    }

    // The text under the gallery is written anew after each Generate.
    function watch(state) {
        const info = get(`html_info_${state.tab}`);
        if (state.isWatched || !info) return;
        state.isWatched = true;
        new MutationObserver(() => {
            state.due = Date.now() + SETTLE_MS;
        }).observe(info, {childList: true, subtree: true, characterData: true});
    }

    function tick(state) {
        const shown = get(`sdpipe_${state.tab}_last`);
        const panel = get(`sdpipe_${state.tab}_panel`);
        if (!shown || !panel) return;
        watch(state);
        // By a box beside it: what shows nothing yet takes no room.
        const beside = get(`sdpipe_${state.tab}_label`) || panel;
        const isVisible = !document.hidden && beside.getClientRects().length > 0 && beside.offsetHeight > 0;
        const isGoingOn = shown.querySelector("[data-sdpipe-running]") !== null && Date.now() - state.last >= POLL_MS;
        if (isVisible && !state.wasVisible) window.sdpipe.press(`sdpipe_${state.tab}_ask_then`);
        if (isVisible && (!state.wasVisible || isGoingOn || (state.due && Date.now() >= state.due))) ask(state);
        state.wasVisible = isVisible;
    }

    setInterval(() => states.forEach(tick), TICK_MS);
})();
