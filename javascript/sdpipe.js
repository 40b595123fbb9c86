// The Runs tab's share of the browser: looks again while the tab is visible, carries presses of its own buttons to
// gradio, copies text. No library and nothing of the host's, so it works outside a WebUI too.
(function() {
    "use strict";

    const TICK_MS = 500;
    const POLL_MS = 3000;
    let choice = "";
    let wasVisible = false;
    let lastLook = 0;
    let focused = null;
    let watched = null;

    const get = (id) => document.getElementById(id);

    // gradio calls this for the value of the hidden "Open" button's input.
    window.sdpipeChoice = () => choice;

    function press(id) {
        const found = get(id);
        const button = found && (found.tagName === "BUTTON" ? found : found.querySelector("button"));
        if (button) button.click();
    }

    function tick() {
        const runs = get("sdpipe_runs");
        if (!runs) return;
        watch(runs);
        const visible = !document.hidden && runs.getClientRects().length > 0;
        const waiting = runs.querySelector("[data-sdpipe-pending], [data-sdpipe-running]") !== null;
        if (visible && (!wasVisible || (waiting && Date.now() - lastLook >= POLL_MS))) {
            lastLook = Date.now();
            press("sdpipe_look");
        }
        wasVisible = visible;
    }

    // A list that is written anew takes the keyboard's place with it: give it back.
    function watch(runs) {
        if (watched === runs) return;
        watched = runs;
        runs.addEventListener("focusin", (event) => {
            focused = event.target.dataset.sdpipeRun || null;
        });
        runs.addEventListener("focusout", (event) => {
            if (event.target.isConnected && event.relatedTarget) focused = null;
        });
        new MutationObserver(() => {
            if (!focused || document.activeElement !== document.body) return;
            const row = rows().find((found) => found.dataset.sdpipeRun === focused);
            if (row) row.focus({preventScroll: true});
        }).observe(runs, {childList: true, subtree: true});
    }

    const rows = () => Array.from(document.querySelectorAll("#sdpipe_runs [data-sdpipe-run]"));

    function open(button) {
        const run = button.dataset.sdpipeRun;
        choice = JSON.stringify({run: run, name: button.dataset.sdpipeName || null});
        for (const row of rows()) {
            if (row.dataset.sdpipeRun === run) row.setAttribute("aria-current", "true");
            else row.removeAttribute("aria-current");
        }
        press("sdpipe_open");
    }

    // gradio tells of a thumbnail only when another becomes the selected one; after a jump by a link the user may well
    // press the one that it takes for selected.
    function openAgain(thumbnail) {
        const all = Array.from(document.querySelectorAll("#sdpipe_run_gallery .thumbnail-item"));
        choice = JSON.stringify({tile: all.indexOf(thumbnail)});
        press("sdpipe_open");
    }

    function copy(button) {
        const text = button.parentElement.querySelector("pre");
        const select = () => window.getSelection().selectAllChildren(text);
        // Without https there is no clipboard: the selected text is a key press away.
        if (!navigator.clipboard) {
            select();
            return;
        }
        navigator.clipboard.writeText(text.textContent).then(() => {
            button.textContent = "Copied";
            setTimeout(() => {
                button.textContent = "Copy";
            }, 1500);
        }, select);
    }

    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const button = target && target.closest("[data-sdpipe-run], [data-sdpipe-copy]");
        if (button && "sdpipeRun" in button.dataset) open(button);
        else if (button) copy(button);
        else setTimeout(tick, 50); // perhaps it was the press that opened the tab
    });
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const thumbnail = target && target.closest("#sdpipe_run_gallery .thumbnail-item.selected");
        if (thumbnail) openAgain(thumbnail);
    }, true);
    document.addEventListener("visibilitychange", tick);
    setInterval(tick, TICK_MS);
})();
