// The bar of what is picked: how many, small pictures of them, and what can be done with all of them at once.
(function() {
    "use strict";

    const MOST_SHOWN = 14;
    const pictures = new Map();
    let shown = "";

    const {key, read} = window.sdpipe;

    // Where a picture of it is, the page knows best at the moment when it is picked.
    function remember() {
        for (const box of document.querySelectorAll("#sdpipe_tab [data-sdpipe-pick]:checked")) {
            const image = (box.closest("li, figure, tr") || box.parentElement).querySelector("img");
            if (image && image.src) pictures.set(key(read(box.dataset.sdpipePick)), image.src);
        }
    }

    function buildPick(what) {
        const item = document.createElement("li");
        const button = document.createElement("button");
        const name = what.name || String(what.path || "").split("/").pop();
        button.type = "button";
        button.title = name;
        button.setAttribute("aria-label", `Unpick ${name}`);
        const address = pictures.get(key(what));
        if (address) {
            const image = document.createElement("img");
            image.src = address;
            image.alt = "";
            button.append(image);
        } else {
            button.textContent = name.slice(-7);
        }
        button.addEventListener("click", () => window.sdpipe.setPicked(what, false));
        item.append(button);
        return item;
    }

    function show(picked) {
        const bar = document.querySelector("#sdpipe_picks [data-sdpipe-picks]");
        if (!bar) return;
        remember();
        const now = JSON.stringify(picked.map(key));
        if (bar.hidden !== (picked.length === 0)) bar.hidden = picked.length === 0;
        if (now === shown) return;
        shown = now;
        bar.querySelector("[data-sdpipe-picks-count]").textContent = picked.length.toLocaleString("en");
        const strip = bar.querySelector("[data-sdpipe-picks-strip]");
        strip.replaceChildren(...picked.slice(-MOST_SHOWN).map(buildPick));
        const compare = bar.querySelector("[data-sdpipe-ask='compare']");
        const count = picked.filter((what) => what.run).length;
        if (compare) compare.disabled = count < 2 || count > 4;
    }

    document.addEventListener("sdpipe-picked", (event) => show(event.detail || []));
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        if (target && target.closest("[data-sdpipe-picks-clear]")) window.sdpipe.clearPicked();
    });
})();
