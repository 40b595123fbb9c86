// The Compare section: which view is shown, the divider, zoom and pan in step, amplification. What the page looks like
// follows from a few values here, which are written onto #sdpipe_compare; style.css does the rest.
(function() {
    "use strict";

    const AGAIN_MS = 1000;
    const FLIP_MS = 900;
    const MOST_ZOOM = 32;
    const state = {
        view: "slider", against: 1, zoom: 1, x: 0, y: 0, divider: 50, amplify: 2, front: 0,
        flips: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    };
    let shown = null;
    let compared = "";
    let watched = null;
    let drag = null;

    const root = () => document.getElementById("sdpipe_compare");
    const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
    const isVisible = () => Boolean(root()) && !document.hidden && root().getClientRects().length > 0;

    // --- showing ---

    function show() {
        const place = root();
        if (!place) return;
        place.dataset.sdpipeShowing = state.view;
        place.dataset.sdpipeFront = state.front;
        place.toggleAttribute("data-sdpipe-large", state.zoom > 1);
        place.toggleAttribute("data-sdpipe-pixels", scale() >= 3);
        for (const name of ["zoom", "x", "y", "divider"]) place.style.setProperty(`--${name}`, state[name]);
        place.style.setProperty("--amplify", 2 ** state.amplify);
        for (const figure of place.querySelectorAll("[data-sdpipe-column]")) {
            const number = Number(figure.dataset.sdpipeColumn);
            figure.dataset.sdpipeSide = number === 0 ? "one" : number === state.against ? "other" : "none";
        }
        press(place, "show", state.view);
        press(place, "against", String(state.against));
        tell(place);
    }

    function press(place, name, value) {
        const key = `sdpipe${name[0].toUpperCase()}${name.slice(1)}`;
        for (const button of place.querySelectorAll(`[data-sdpipe-${name}]`)) {
            button.setAttribute("aria-pressed", String(button.dataset[key] === value));
        }
    }

    function tell(place) {
        const divider = place.querySelector(".sdpipe-divider");
        if (divider) {
            divider.setAttribute("aria-valuenow", String(Math.round(state.divider)));
            divider.setAttribute("aria-valuetext", `${Math.round(state.divider)} %`);
        }
        const zoomed = place.querySelector("[data-sdpipe-zoomed]");
        if (zoomed) zoomed.textContent = scale() ? `${Math.round(scale() * 100)} %` : "";
        const amplify = place.querySelector("[data-sdpipe-amplify]");
        if (amplify) {
            amplify.value = state.amplify;
            amplify.setAttribute("aria-valuetext", `${2 ** state.amplify} times`);
            amplify.nextElementSibling.textContent = `×${2 ** state.amplify}`;
        }
        const flips = place.querySelector("[data-sdpipe-flip]");
        if (flips) flips.checked = state.flips;
    }

    const firstSeen = () => Array.from(root().querySelectorAll(".sdpipe-frame img")).find((image) => image.offsetWidth && image.naturalWidth);

    // Screen pixels per pixel of the first picture that can be seen; 0 while there is none.
    function scale() {
        const image = firstSeen();
        return image ? state.zoom / fullZoom(image) : 0;
    }

    // The zoom at which one pixel of the picture is one of the screen.
    function fullZoom(image) {
        const width = Math.min(image.offsetWidth, image.offsetHeight * image.naturalWidth / image.naturalHeight);
        return image.naturalWidth / width / (window.devicePixelRatio || 1);
    }

    // --- zoom and pan: x and y are percents of the frame ---

    function zoomTo(zoom, across, down) {
        const next = clamp(zoom, 0.1, MOST_ZOOM);
        state.x = across * 100 - (across * 100 - state.x) * next / state.zoom;
        state.y = down * 100 - (down * 100 - state.y) * next / state.zoom;
        state.zoom = next;
        panTo(state.x, state.y);
    }

    function panTo(x, y) {
        const room = (1 - state.zoom) * 100;
        state.x = room > 0 ? room / 2 : clamp(x, room, 0);
        state.y = room > 0 ? room / 2 : clamp(y, room, 0);
        show();
    }

    function zoomBy(kind) {
        const image = firstSeen();
        if (kind === "fit") zoomTo(1, 0.5, 0.5);
        else if (kind === "full" && image) zoomTo(fullZoom(image), 0.5, 0.5);
        else if (kind === "in") zoomTo(state.zoom * 1.5, 0.5, 0.5);
        else if (kind === "out") zoomTo(state.zoom / 1.5, 0.5, 0.5);
    }

    function within(frame, event) {
        const box = frame.getBoundingClientRect();
        return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    }

    // --- the pixels' difference ---

    const images = () => Array.from(root().querySelectorAll("[data-sdpipe-image]")).map((figure) => JSON.parse(figure.dataset.sdpipeImage));

    function askForPixels() {
        const found = images();
        if (state.view !== "difference" || found.length <= state.against) return;
        window.sdpipe.ask("compare_pixels", {images: [found[0], found[state.against]], number: state.against});
    }

    setInterval(() => {
        const waiting = isVisible() && root().querySelector("[data-sdpipe-pixels-again]");
        if (waiting) window.sdpipe.ask("compare_pixels", JSON.parse(waiting.dataset.sdpipePixelsAgain));
    }, AGAIN_MS);

    setInterval(() => {
        if (state.view !== "blink" || !state.flips || !isVisible()) return;
        state.front = 1 - state.front;
        show();
    }, FLIP_MS);

    // --- what is pressed ---

    function choose(button) {
        const data = button.dataset;
        if ("sdpipeShow" in data) state.view = data.sdpipeShow;
        else if ("sdpipeAgainst" in data) state.against = Number(data.sdpipeAgainst);
        else zoomBy(data.sdpipeZoom);
        show();
        if (!("sdpipeZoom" in data)) askForPixels();
    }

    function flip() {
        state.front = 1 - state.front;
        show();
    }

    function moveDivider(event) {
        const stage = root().querySelector(".sdpipe-stage");
        const [across] = within(stage.querySelector("[data-sdpipe-side=one] .sdpipe-frame"), event);
        state.divider = clamp(across * 100, 0, 100);
        show();
    }

    const inside = (event, selector) => {
        const found = event.target instanceof Element && event.target.closest(selector);
        return found && found.closest("#sdpipe_compare") ? found : null;
    };

    document.addEventListener("click", (event) => {
        const button = inside(event, "[data-sdpipe-show], [data-sdpipe-against], [data-sdpipe-zoom]");
        if (button) choose(button);
    });

    document.addEventListener("input", (event) => {
        const amplify = inside(event, "[data-sdpipe-amplify]");
        const flips = inside(event, "[data-sdpipe-flip]");
        if (amplify) state.amplify = Number(amplify.value);
        else if (flips) state.flips = flips.checked;
        else return;
        show();
    });

    document.addEventListener("pointerdown", (event) => {
        const divider = inside(event, ".sdpipe-divider");
        const frame = divider || inside(event, ".sdpipe-frame");
        if (!frame || event.button !== 0) return;
        const moves = Boolean(divider) || (state.view === "slider" && state.zoom <= 1);
        drag = {moves, frame, left: event.clientX, top: event.clientY, x: state.x, y: state.y, far: false};
        if (moves) moveDivider(event);
    });

    document.addEventListener("pointermove", (event) => {
        if (!drag) return;
        if (Math.abs(event.clientX - drag.left) + Math.abs(event.clientY - drag.top) > 3) drag.far = true;
        if (drag.moves) {
            moveDivider(event);
        } else if (state.zoom > 1) {
            const box = drag.frame.getBoundingClientRect();
            panTo(drag.x + (event.clientX - drag.left) / box.width * 100, drag.y + (event.clientY - drag.top) / box.height * 100);
        }
    });

    document.addEventListener("pointerup", () => {
        if (drag && !drag.far && !drag.moves && state.view === "blink") flip();
        drag = null;
    });
    document.addEventListener("pointercancel", () => {
        drag = null;
    });

    document.addEventListener("wheel", (event) => {
        const frame = event.ctrlKey && inside(event, ".sdpipe-frame");
        if (!frame) return;
        event.preventDefault();
        zoomTo(state.zoom * 1.0015 ** -event.deltaY, ...within(frame, event));
    }, {passive: false});

    document.addEventListener("dblclick", (event) => {
        const frame = inside(event, ".sdpipe-frame");
        const image = frame && frame.querySelector("img");
        if (image && state.view !== "blink") zoomTo(state.zoom === 1 ? Math.max(fullZoom(image), 2) : 1, ...within(frame, event));
    });

    // --- keys ---

    const DIVIDER_KEYS = {
        ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -100, End: 100,
    };
    const PAN_KEYS = {ArrowLeft: [10, 0], ArrowRight: [-10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10]};
    const ZOOM_KEYS = {"+": "in", "=": "in", "-": "out", "0": "fit", "1": "full"};

    function pressKey(event) {
        if (event.ctrlKey || event.altKey || event.metaKey) return false;
        if (inside(event, ".sdpipe-divider")) {
            if (!(event.key in DIVIDER_KEYS)) return false;
            state.divider = clamp(state.divider + DIVIDER_KEYS[event.key] * (event.shiftKey ? 10 : 1), 0, 100);
            show();
            return true;
        }
        if (!inside(event, ".sdpipe-frame")) return false;
        if (event.key in ZOOM_KEYS) zoomBy(ZOOM_KEYS[event.key]);
        else if (event.key in PAN_KEYS && state.zoom > 1) panTo(state.x + PAN_KEYS[event.key][0], state.y + PAN_KEYS[event.key][1]);
        else if (event.key === " " && state.view === "blink") flip();
        else return false;
        return true;
    }

    document.addEventListener("keydown", (event) => {
        if (!pressKey(event)) return;
        event.preventDefault();
        event.stopPropagation();
    });

    // --- what gradio writes anew ---

    function look() {
        const section = root().querySelector("[data-sdpipe-compare]");
        if (section === shown) return;
        shown = section;
        const found = section ? images() : [];
        if (JSON.stringify(found) !== compared) {
            compared = JSON.stringify(found);
            Object.assign(state, {zoom: 1, x: 0, y: 0, divider: 50, front: 0});
            if (state.against >= found.length) state.against = 1;
        }
        show();
        if (section) askForPixels();
    }

    function watch() {
        const place = root();
        if (!place || place === watched) return;
        watched = place;
        new MutationObserver(look).observe(place, {childList: true, subtree: true});
        // A picture's size is known only once it is loaded.
        place.addEventListener("load", show, true);
        look();
        show();
    }

    function showCount() {
        const text = String(window.sdpipe.picked().length);
        for (const count of document.querySelectorAll("#sdpipe_compare [data-sdpipe-picked-count]")) {
            if (count.textContent !== text) count.textContent = text; // a change of the page makes sdpipe.js tell again
        }
    }

    document.addEventListener("sdpipe-picked", showCount);
    window.sdpipe.follow("sdpipe_compare", showCount, () => 1000);
    setInterval(watch, 500);
    watch();
})();
