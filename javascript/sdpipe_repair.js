// The Repair section: looks again while it is visible, so that long work is followed and a second page sees the same;
// gives the keyboard its place back after the section was written anew.
(function() {
    "use strict";

    const WORKING_MS = 1000;
    const QUIET_MS = 10000;
    let awaited = null;

    const looks = window.sdpipe.follow("sdpipe_repair", () => window.sdpipe.ask("repair", {do: "look", quietly: true}), () => {
        const isWorking = document.querySelector("#sdpipe_repair_work [data-sdpipe-working], #sdpipe_repair [data-sdpipe-pending]");
        return isWorking ? WORKING_MS : QUIET_MS;
    }, (page) => window.sdpipe.keepFocus(page, "data-sdpipe-keep", () => showAwaited(page)));

    // What somebody asked to see stands at the top, and they may have asked further down.
    function showAwaited(page) {
        const found = awaited && page.querySelector(awaited.what);
        if (!found || found.dataset.sdpipePlan === awaited.before) return;
        awaited = null;
        found.scrollIntoView({block: "start", behavior: "smooth"});
    }

    function awaitAnswer(asked) {
        const isPlan = ["plan", "adopt", "undo-preview"].includes(asked);
        if (!isPlan && !["apply", "undo"].includes(asked)) return;
        const plan = document.querySelector("#sdpipe_repair .sdpipe-plan");
        awaited = isPlan ? {what: ".sdpipe-plan", before: plan && plan.dataset.sdpipePlan} : {what: ".sdpipe-outcome", before: ""};
        for (const outcome of document.querySelectorAll("#sdpipe_repair .sdpipe-outcome")) outcome.dataset.sdpipePlan = "";
    }

    // gradio shows a file as a link; who asked for the plan wants it now.
    function download(before, tries) {
        const link = document.querySelector("#sdpipe_repair_file a[href]");
        if (link && link.href !== before) link.click();
        else if (tries > 0) setTimeout(download, 250, before, tries - 1);
    }

    // What is pressed is answered by the next look, which must not wait for its turn.
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const button = target && target.closest("[data-sdpipe-ask='repair']");
        if (!button) return;
        looks.setLast(Date.now() - WORKING_MS + 300);
        const asked = JSON.parse(button.dataset.sdpipeWith).do;
        const link = document.querySelector("#sdpipe_repair_file a[href]");
        awaitAnswer(asked);
        if (asked === "download") download(link && link.href, 60);
    });
})();
