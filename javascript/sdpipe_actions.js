// Actions with images: presses the host's own "Send to" once the image and its text are there, copies texts, shows a
// download that is ready to whoever uses the keyboard.
(function() {
    "use strict";

    const TICK_MS = 500;
    const COPIED_MS = 1500;
    const DOWNLOADED_MS = 2000;
    let watched = null;
    let sent = null;

    function send(row) {
        const mark = row.querySelector("[data-sdpipe-ready]");
        if (!mark || mark.dataset.sdpipeNumber === sent) return;
        sent = mark.dataset.sdpipeNumber;
        window.sdpipe.press(mark.dataset.sdpipeReady);
    }

    function tick() {
        const row = document.getElementById("sdpipe_send_carriers");
        const card = document.getElementById("sdpipe_download");
        if (row && row !== watched) {
            watched = row;
            new MutationObserver(() => send(row)).observe(row, {childList: true, subtree: true, attributes: true});
        }
        const pending = card && card.querySelector("[data-sdpipe-pending]");
        if (pending && window.sdpipe) window.sdpipe.ask("look_download", JSON.parse(pending.dataset.sdpipePending));
        if (card && !card.dataset.sdpipeWatched) {
            card.dataset.sdpipeWatched = "";
            new MutationObserver(() => {
                const link = card.querySelector("[data-sdpipe-download]");
                if (link) link.focus({preventScroll: true});
            }).observe(card, {childList: true, subtree: true});
        }
    }

    // Without https there is no clipboard, but the old way of a selected text.
    function copyOldWay(text) {
        const box = document.createElement("textarea");
        box.value = text;
        box.style.position = "fixed";
        box.style.opacity = "0";
        document.body.appendChild(box);
        box.select();
        const isDone = document.execCommand("copy");
        box.remove();
        return isDone ? Promise.resolve() : Promise.reject(new Error("not copied"));
    }

    function copy(button) {
        const text = button.dataset.sdpipeCopyText;
        const label = button.textContent;
        if (button.dataset.sdpipeCopied) return;
        const done = navigator.clipboard ? navigator.clipboard.writeText(text).catch(() => copyOldWay(text)) : copyOldWay(text);
        const tell = (word) => {
            button.dataset.sdpipeCopied = "1";
            button.textContent = word;
            setTimeout(() => {
                button.textContent = label;
                delete button.dataset.sdpipeCopied;
            }, COPIED_MS);
        };
        done.then(() => tell("Copied"), () => tell("Not copied"));
    }

    document.addEventListener("click", (event) => {
        const button = event.target instanceof Element ? event.target.closest("[data-sdpipe-copy-text]") : null;
        if (button) copy(button);
        // The card has done its work; another one that stands there by then stays.
        const link = event.target instanceof Element ? event.target.closest("[data-sdpipe-download]") : null;
        if (link) setTimeout(() => link.isConnected && window.sdpipe && window.sdpipe.ask("close_download", {}), DOWNLOADED_MS);
    });
    setInterval(tick, TICK_MS);
})();
