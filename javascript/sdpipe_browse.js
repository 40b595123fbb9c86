// The list of runs and images: keys, the jump to a day, the place that is kept while the page is loaded again.
(function() {
    "use strict";

    const KEPT = "sdpipe_place";
    const list = () => document.getElementById("sdpipe_runs");
    const cards = () => Array.from(document.querySelectorAll("#sdpipe_runs [data-sdpipe-card]"));
    let watched = null;
    let place = null;
    let hasRestored = false;

    // --- keys ---

    // The card that is nearest above or below, in the columns as they are laid out now.
    function vertical(all, from, down) {
        const own = from.getBoundingClientRect();
        const middle = own.left + own.width / 2;
        const others = all.map((card) => [card, card.getBoundingClientRect()])
            .filter(([, box]) => down ? box.top >= own.bottom - 2 : box.bottom <= own.top + 2);
        const edge = down ? Math.min(...others.map(([, box]) => box.top)) : Math.max(...others.map(([, box]) => box.bottom));
        const row = others.filter(([, box]) => Math.abs((down ? box.top : box.bottom) - edge) < 4);
        const distance = ([, box]) => Math.abs(box.left + box.width / 2 - middle);
        return row.length ? row.reduce((best, one) => distance(one) < distance(best) ? one : best)[0] : null;
    }

    function find(key, all, from) {
        const number = all.indexOf(from);
        if (key === "ArrowRight") return all[number + 1];
        if (key === "ArrowLeft") return all[number - 1];
        if (key === "ArrowDown") return vertical(all, from, true);
        if (key === "ArrowUp") return vertical(all, from, false);
        if (key === "Home") return all[0];
        return key === "End" ? all[all.length - 1] : undefined;
    }

    function onCardKey(event, card) {
        if (event.key === " ") {
            const box = card.parentElement.querySelector("[data-sdpipe-pick]");
            if (!box) return;
            box.click();
        } else {
            const next = find(event.key, cards(), card);
            if (next === undefined) return;
            if (next) {
                next.focus({preventScroll: true});
                next.scrollIntoView({block: "nearest"});
            }
        }
        event.preventDefault();
    }

    const isWriting = (element) => element.matches("input, textarea, select, [contenteditable]");

    document.addEventListener("keydown", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        if (!target || event.ctrlKey || event.metaKey || event.altKey) return;
        const card = target.closest("#sdpipe_runs [data-sdpipe-card]");
        if (card) onCardKey(event, card);
        const query = document.querySelector("#sdpipe_query textarea, #sdpipe_query input");
        if (event.key === "/" && query && !isWriting(target) && query.getClientRects().length) {
            event.preventDefault();
            query.focus();
            query.select();
        }
    });
    // A button answers the space bar when it is let go: that was a pick.
    document.addEventListener("keyup", (event) => {
        const card = event.target instanceof Element && event.key === " " && event.target.closest("#sdpipe_runs [data-sdpipe-card]");
        if (card && card.parentElement.querySelector("[data-sdpipe-pick]")) event.preventDefault();
    });

    // --- the day ---

    document.addEventListener("change", (event) => {
        const day = event.target instanceof Element ? event.target.closest("[data-sdpipe-jump]") : null;
        if (day && day.value) window.sdpipe.ask("browse", {jump: day.value});
    });

    // --- the place ---

    function remember(text) {
        try {
            window.sessionStorage.setItem(KEPT, text);
        } catch {
            // a browser that keeps nothing
        }
    }

    function recall() {
        try {
            return JSON.parse(window.sessionStorage.getItem(KEPT) || "null");
        } catch {
            return null;
        }
    }

    function onList() {
        const shown = document.querySelector("#sdpipe_runs [data-sdpipe-place]");
        if (!shown) return;
        const now = shown.dataset.sdpipePlace;
        if (!hasRestored) {
            hasRestored = true;
            const kept = recall();
            if (kept && JSON.stringify(kept) !== JSON.stringify(JSON.parse(now))) {
                place = now;
                window.sdpipe.ask("browse", kept);
                return;
            }
        }
        if (place !== null && place !== now) list().scrollTop = 0;
        place = now;
        remember(now);
    }

    function watch() {
        const found = list();
        if (!found || found === watched) return;
        watched = found;
        window.sdpipe.keepFocus(found, "data-sdpipe-card", onList);
        onList();
    }

    // A picture that cannot be had leaves an empty frame, not a torn one.
    document.addEventListener("error", (event) => {
        const image = event.target;
        if (image instanceof HTMLImageElement && image.closest("#sdpipe_runs")) image.classList.add("sdpipe-browse-broken");
    }, true);
    setInterval(watch, 500);
})();
