// The open run: its parts are written anew while somebody is at them. The chosen thumbnail stays in sight, and the
// keyboard's place stays where it was. In a narrow window, where it stands below the list, opening goes there.
(function() {
    "use strict";

    const WAIT_MS = 500;
    let focused = null;
    let isOpening = false;

    const get = (id) => document.getElementById(id);

    // What an element is, beyond its being written anew.
    function mark(element) {
        const block = element.closest("#sdpipe_open_column [id^='sdpipe_']");
        const name = element.getAttribute("aria-label") || element.dataset.sdpipeWith || element.textContent;
        return block && name ? {block: block.id, tag: element.tagName, name} : null;
    }

    function giveBackFocus() {
        if (!focused || document.activeElement !== document.body) return;
        const block = get(focused.block);
        const same = block && Array.from(block.querySelectorAll(focused.tag)).find((element) => {
            const found = mark(element);
            return found && found.name === focused.name;
        });
        if (same && !same.disabled) same.focus({preventScroll: true});
    }

    // Within its strip: the page itself stays where it is.
    function bringIntoSight() {
        const current = document.querySelector("#sdpipe_strip .sdpipe-tile[aria-current]");
        const list = current && current.parentElement;
        if (!list || list.dataset.sdpipeSeen) return;
        list.dataset.sdpipeSeen = "true";
        if (current.offsetTop + current.offsetHeight > list.clientHeight) {
            list.scrollTop = current.offsetTop - (list.clientHeight - current.offsetHeight) / 2;
        }
    }

    function goThere(column) {
        if (!isOpening) return;
        isOpening = false;
        const top = column.getBoundingClientRect().top;
        if (top > window.innerHeight * 0.7) column.scrollIntoView({block: "start"});
    }

    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target.closest("#sdpipe_runs [data-sdpipe-ask='open']") : null;
        if (target) isOpening = true;
    });

    function watch() {
        const column = get("sdpipe_open_column");
        if (!column) {
            setTimeout(watch, WAIT_MS);
            return;
        }
        column.addEventListener("focusin", (event) => {
            focused = mark(event.target);
        });
        column.addEventListener("focusout", (event) => {
            if (event.target.isConnected && event.relatedTarget) focused = null;
        });
        new MutationObserver(() => {
            bringIntoSight();
            giveBackFocus();
            goThere(column);
        }).observe(column, {childList: true, subtree: true});
    }

    watch();
})();
