// Pictures of the Runs tab in full size, over the page: keys go from one to the next, the page behind follows. It goes
// through the elements with data-sdpipe-full (an address) that stand in one data-sdpipe-gallery.
(function() {
    "use strict";

    const FOLLOW_MS = 300;
    const STEP = 1.4;
    const MOST_ZOOM = 16;
    let dialog = null;
    let gallery = null;
    let place = 0;
    let zoom = 1;
    let following = null;
    let waiting = null;
    let opener = null;
    let drag = null;

    // While it is open: the page behind may be written anew.
    const observer = new MutationObserver((changes) => {
        if (changes.every((change) => dialog.contains(change.target))) return;
        goOn();
        showFacts();
    });

    const get = (id) => document.getElementById(id);
    const part = (name) => dialog.querySelector(`.sdpipe-viewer-${name}`);

    // A gallery may be written anew at any time: it is known by its name.
    const scope = () => document.querySelector(`[data-sdpipe-gallery="${CSS.escape(gallery)}"]`);

    function items() {
        const found = scope();
        return found ? Array.from(found.querySelectorAll("[data-sdpipe-full]")) : [];
    }

    function build() {
        const made = document.createElement("dialog");
        made.className = "sdpipe-viewer";
        made.setAttribute("aria-modal", "true");
        made.setAttribute("aria-label", "Picture");
        made.innerHTML = `
            <div class="sdpipe-viewer-bar">
                <span class="sdpipe-viewer-caption" role="status"></span>
                <button type="button" data-viewer="out" aria-label="Smaller">−</button>
                <button type="button" data-viewer="fit" aria-label="Whole picture">0</button>
                <button type="button" data-viewer="in" aria-label="Larger">+</button>
                <button type="button" data-viewer="facts" aria-label="Facts" aria-pressed="false">i</button>
                <button type="button" data-viewer="close" aria-label="Close">✕</button>
            </div>
            <div class="sdpipe-viewer-middle">
                <button type="button" data-viewer="before" aria-label="Image before">‹</button>
                <div class="sdpipe-viewer-stage" tabindex="-1"><img class="sdpipe-viewer-image" alt="" draggable="false"></div>
                <button type="button" data-viewer="after" aria-label="Next image">›</button>
                <aside class="sdpipe-viewer-facts" aria-label="Facts" tabindex="0" hidden></aside>
            </div>`;
        made.addEventListener("click", (event) => {
            const button = event.target.closest("[data-viewer]");
            if (button) acts[button.dataset.viewer]();
            else if (event.target.closest("[data-sdpipe-ask]")) close(); // a link among the facts leads away from here
            else if (event.target.classList.contains("sdpipe-viewer-stage") && !drag) close();
        });
        made.addEventListener("keydown", onKey);
        made.addEventListener("close", onClosed);
        made.addEventListener("wheel", onWheel, {passive: false});
        made.addEventListener("dblclick", (event) => {
            if (event.target.classList.contains("sdpipe-viewer-image")) setZoom(zoom > 1 ? 1 : naturalZoom(), event);
        });
        made.addEventListener("pointerdown", onDown);
        made.addEventListener("pointermove", onMove);
        made.addEventListener("pointerup", onUp);
        made.addEventListener("pointercancel", onUp);
        made.querySelector("img").addEventListener("error", () => {
            part("stage").dataset.problem = "This picture cannot be loaded.";
        });
        made.querySelector("img").addEventListener("load", () => {
            delete part("stage").dataset.problem;
            layOut();
        });
        return made;
    }

    function open(element) {
        const own = element.closest("[data-sdpipe-full]");
        const around = (own || element).closest("[data-sdpipe-gallery]");
        gallery = around ? around.dataset.sdpipeGallery : "run";
        const all = items();
        if (!all.length) return false;
        place = own ? all.indexOf(own) : Math.max(0, all.findIndex((item) => item.getAttribute("aria-current") === "true"));
        opener = document.activeElement;
        if (!dialog || !dialog.isConnected) {
            dialog = build();
            (get("sdpipe_tab") || document.body).append(dialog);
        }
        if (typeof dialog.showModal !== "function") return false;
        if (!dialog.open) {
            dialog.showModal();
            observer.observe(get("sdpipe_tab") || document.body, {childList: true, subtree: true});
        }
        part("stage").focus({preventScroll: true});
        show(false);
        return true;
    }

    const close = () => dialog.close();

    function onClosed() {
        clearTimeout(following);
        observer.disconnect();
        waiting = null;
        const item = items()[place];
        follow(item);
        const back = opener && opener.isConnected ? opener : item;
        if (back) back.focus({preventScroll: true});
        opener = null;
    }

    function show(isMoved) {
        const all = items();
        const item = all[place];
        if (!item) return;
        const image = part("image");
        zoom = 1;
        image.style.width = image.style.height = "";
        image.alt = item.dataset.sdpipeCaption || "";
        image.src = item.dataset.sdpipeFull;
        part("caption").textContent = `${item.dataset.sdpipeCaption || ""} (${number(item)})`;
        dialog.querySelector("[data-viewer=before]").disabled = place === 0 && !more("before");
        dialog.querySelector("[data-viewer=after]").disabled = place === all.length - 1 && !more("after");
        for (const next of [all[place + 1], all[place - 1]]) {
            if (next) new Image().src = next.dataset.sdpipeFull;
        }
        clearTimeout(following);
        if (isMoved) following = setTimeout(() => follow(item), FOLLOW_MS);
    }

    // Its place among all, also those that have no picture or stand on other pages.
    function number(item) {
        const {sdpipeFirst, sdpipeTotal} = scope().dataset;
        const rows = Array.from(scope().querySelectorAll("li"));
        const at = rows.findIndex((row) => row.contains(item));
        return sdpipeFirst && at >= 0 ? `${Number(sdpipeFirst) + at} / ${sdpipeTotal}` : `${place + 1} / ${items().length}`;
    }

    // The page behind shows the same image, with all that is known of it.
    function follow(item) {
        if (!item || !item.isConnected || item.getAttribute("aria-current") === "true" || !item.dataset.sdpipeWith) return;
        window.sdpipe.ask("open", JSON.parse(item.dataset.sdpipeWith));
    }

    const more = (where) => scope() && scope().querySelector(`[data-sdpipe-more="${where}"]:not([disabled])`);

    function move(to) {
        const all = items();
        if (to >= 0 && to < all.length) {
            place = to;
            show(true);
            return;
        }
        const button = more(to < 0 ? "before" : "after");
        if (button && !waiting) {
            waiting = {end: to < 0, first: all[0] && all[0].dataset.sdpipeFull};
            button.click();
        }
    }

    // The page of thumbnails was turned for us: go on at its near end.
    function goOn() {
        const all = items();
        if (!waiting || !all.length || all[0].dataset.sdpipeFull === waiting.first) return;
        place = waiting.end ? all.length - 1 : 0;
        waiting = null;
        show(true);
    }

    // --- zoom ---

    function fitted() {
        const image = part("image");
        const stage = part("stage");
        const ratio = Math.min(stage.clientWidth / image.naturalWidth, stage.clientHeight / image.naturalHeight, 1);
        return {width: image.naturalWidth * ratio, height: image.naturalHeight * ratio, ratio};
    }

    const naturalZoom = () => Math.max(STEP * STEP, 1 / fitted().ratio);

    function layOut() {
        const image = part("image");
        if (!image.naturalWidth) return;
        const fit = fitted();
        image.style.width = `${fit.width * zoom}px`;
        image.style.height = `${fit.height * zoom}px`;
        part("stage").classList.toggle("sdpipe-zoomed", zoom > 1);
    }

    // What lay under the pointer stays there; without a pointer, the middle.
    function setZoom(wanted, event) {
        const stage = part("stage");
        const box = stage.getBoundingClientRect();
        const x = event ? event.clientX - box.left : box.width / 2;
        const y = event ? event.clientY - box.top : box.height / 2;
        const before = zoom;
        zoom = Math.max(1, Math.min(MOST_ZOOM, wanted));
        const left = (stage.scrollLeft + x) * zoom / before - x;
        const top = (stage.scrollTop + y) * zoom / before - y;
        layOut();
        stage.scrollTo(left, top);
    }

    function onWheel(event) {
        if (!event.target.closest(".sdpipe-viewer-stage")) return;
        event.preventDefault();
        setZoom(zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15), event);
    }

    function onDown(event) {
        if (event.button !== 0 || !event.target.closest(".sdpipe-viewer-stage")) return;
        drag = {x: event.clientX, y: event.clientY, lastX: event.clientX, lastY: event.clientY, moved: false};
    }

    function onMove(event) {
        if (!drag) return;
        const stage = part("stage");
        if (zoom > 1) stage.scrollBy(drag.lastX - event.clientX, drag.lastY - event.clientY);
        drag.lastX = event.clientX;
        drag.lastY = event.clientY;
        if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4) drag.moved = true;
    }

    function onUp(event) {
        if (!drag) return;
        const across = event.clientX - drag.x;
        if (zoom === 1 && event.pointerType === "touch" && Math.abs(across) > 60) move(place + (across < 0 ? 1 : -1));
        const wasMoved = drag.moved;
        drag = wasMoved ? drag : null;
        if (wasMoved) setTimeout(() => { // the click that ends a drag closes nothing
            drag = null;
        }, 0);
    }

    // --- facts ---

    function showFacts() {
        const facts = part("facts");
        if (facts.hidden) return;
        const shown = get("sdpipe_details");
        facts.innerHTML = shown ? shown.innerHTML : "";
        for (const element of facts.querySelectorAll("[id]")) element.removeAttribute("id");
    }

    function toggleFacts() {
        const facts = part("facts");
        facts.hidden = !facts.hidden;
        dialog.querySelector("[data-viewer=facts]").setAttribute("aria-pressed", String(!facts.hidden));
        follow(items()[place]);
        showFacts();
        layOut();
    }

    // --- keys ---

    const acts = {
        close,
        before: () => move(place - 1),
        after: () => move(place + 1),
        in: () => setZoom(zoom * STEP),
        out: () => setZoom(zoom / STEP),
        fit: () => setZoom(1),
        facts: toggleFacts,
    };
    const keys = {
        ArrowLeft: acts.before, ArrowRight: acts.after, ArrowUp: acts.before, ArrowDown: acts.after, PageUp: acts.before,
        PageDown: acts.after, Home: () => move(0), End: () => move(items().length - 1), "+": acts.in, "=": acts.in, "-": acts.out,
        0: acts.fit, i: acts.facts,
    };

    function onKey(event) {
        event.stopPropagation(); // the host's page has keys of its own
        const inFacts = event.target.closest && event.target.closest(".sdpipe-viewer-facts");
        if (event.ctrlKey || event.metaKey || event.altKey || (inFacts && !["i", "Escape"].includes(event.key))) return;
        const act = keys[event.key];
        if (!act) return;
        event.preventDefault();
        if (zoom > 1 && event.key.startsWith("Arrow")) {
            const stage = part("stage");
            stage.scrollBy({
                left: {ArrowLeft: -80, ArrowRight: 80}[event.key] || 0, top: {ArrowUp: -80, ArrowDown: 80}[event.key] || 0,
            });
        } else {
            act();
        }
    }

    // --- the page ---

    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target.closest("[data-sdpipe-view]") : null;
        if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
        if (open(target)) event.preventDefault();
    });
    document.addEventListener("dblclick", (event) => {
        const target = event.target instanceof Element ? event.target.closest("[data-sdpipe-full]") : null;
        if (target && !(dialog && dialog.open)) open(target);
    });
    // Arrows go through the thumbnails of the run as through a list.
    document.addEventListener("keydown", (event) => {
        const item = event.target instanceof Element ? event.target.closest("[data-sdpipe-gallery=run] li > button") : null;
        const step = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity}[event.key];
        if (!item || !step || event.ctrlKey || event.metaKey || event.altKey) return;
        const all = Array.from(item.closest("[data-sdpipe-gallery]").querySelectorAll("li > button"));
        const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(item) + step))];
        event.preventDefault();
        if (next) next.focus();
    });
    // A thumbnail that cannot be made says so in its place.
    document.addEventListener("error", (event) => {
        const image = event.target;
        if (image instanceof HTMLImageElement && "sdpipeThumbnail" in image.dataset) image.classList.add("sdpipe-broken");
    }, true);
    window.addEventListener("resize", () => {
        if (dialog && dialog.open) layOut();
    });
    window.sdpipe.view = open;
})();
