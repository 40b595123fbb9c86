// Marks: shows those of the image that is open, rates and favours by keys, adds tags and notes as they are typed.
(function() {
    "use strict";

    const TOLD_MS = 2500;
    const LIST_MS = 600;
    let shown = "";
    let timer = 0;
    let watched = null;

    const get = (id) => document.getElementById(id);

    const read = window.sdpipe.read;

    const openImage = () => {
        const open = document.querySelector("#sdpipe_tab [data-sdpipe-open-image]");
        return open ? read(open.dataset.sdpipeOpenImage) : null;
    };

    function mark(images, set, picked) {
        const data = {images: images, set: set, open: openImage()};
        if (picked) data.picked = window.sdpipe.picked();
        window.sdpipe.ask("mark", data);
        setTimeout(() => window.sdpipe.ask("look", {quietly: true}), LIST_MS); // the cards of the list tell marks, too
    }

    function tick() {
        const place = get("sdpipe_marks");
        if (!place) return;
        watch(place);
        const open = openImage();
        const wanted = open ? JSON.stringify([open.run, open.name]) : "";
        if (wanted === shown) return;
        shown = wanted;
        window.sdpipe.ask("marks", {open: open});
    }

    function watch(place) {
        if (watched === place) return;
        watched = place;
        window.sdpipe.keepFocus(place, "data-sdpipe-keep", () => {});
        new MutationObserver(tick).observe(get("sdpipe_tab"), {childList: true, subtree: true});
        new MutationObserver(tell).observe(get("sdpipe_marked"), {childList: true, subtree: true});
    }

    function tell() {
        const told = get("sdpipe_marked");
        if (!told.querySelector("[data-sdpipe-marked]")) return;
        told.classList.add("sdpipe-told");
        clearTimeout(timer);
        timer = setTimeout(() => told.classList.remove("sdpipe-told"), TOLD_MS);
    }

    function addTags(input) {
        const tags = input.value.split(",").map((tag) => tag.trim()).filter((tag) => tag);
        if (!tags.length) return;
        const own = input.closest("[data-sdpipe-marks]");
        input.value = "";
        mark(own ? [read(own.dataset.sdpipeMarks)] : [], {add_tags: tags}, !own);
    }

    // The image that a key means: the focused one of a list, else the one that is open.
    function imageOf(target) {
        const item = target.closest("#sdpipe_runs li, #sdpipe_tab [data-sdpipe-gallery] li");
        const box = item && item.querySelector("[data-sdpipe-pick]");
        return box ? read(box.dataset.sdpipePick) : openImage();
    }

    const isWriting = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true], dialog[open]") !== null;

    document.addEventListener("keydown", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        if (!target || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "Enter" && target.matches("[data-sdpipe-add-tag]")) {
            event.preventDefault();
            addTags(target);
            return;
        }
        const place = get("sdpipe_marks");
        if (isWriting(target) || !place || !place.getClientRects().length || document.querySelector("dialog[open]")) return;
        const image = /^[0-5fF]$/.test(event.key) ? imageOf(target) : null;
        if (!image || !image.run || !image.name) return;
        event.preventDefault();
        if (event.key.toLowerCase() !== "f") {
            mark([image], {rating: Number(event.key)});
            return;
        }
        const heart = place.querySelector(".sdpipe-heart");
        const open = openImage();
        const isOpen = open && open.run === image.run && open.name === image.name;
        mark([image], {favourite: isOpen && heart && heart.getAttribute("aria-pressed") === "true" ? null : true});
    });
    document.addEventListener("change", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        if (target && target.matches("[data-sdpipe-note]")) {
            const own = target.closest("[data-sdpipe-marks]");
            mark([read(own.dataset.sdpipeMarks)], {note: target.value.trim() ? target.value : null});
        }
    });
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const button = target && target.closest("[data-sdpipe-ask='mark']");
        // What is open is shown anew in the same answer.
        if (button) button.dataset.sdpipeWith = JSON.stringify({...read(button.dataset.sdpipeWith), open: openImage()});
        const add = target && target.closest("[data-sdpipe-add-tags]");
        if (add) addTags(add.parentElement.querySelector("[data-sdpipe-add-tag]"));
    }, true);
    setInterval(tick, 1000);
})();
