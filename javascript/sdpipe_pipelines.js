// The Pipelines section: follows the queue while something is made, and reads a chain out of its fields, which live on the
// page alone. The server checks whatever is sent.
(function() {
    "use strict";

    const WORKING_MS = 1000;
    const WAITING_MS = 2500;
    const IDLE_MS = 5000; // somebody else, or a program, may have added a job
    const ANSWERED_MS = 300;
    const CHECK_MS = 350;
    const LARGEST_TEXT = 600000;
    const {ask, read, follow, keepFocus, completeWith} = window.sdpipe;
    let checking = 0;
    let masked = null;
    let wantsSight = "";

    const get = (id) => document.getElementById(id);
    const within = (id, selector) => {
        const part = get(id);
        return part ? part.querySelector(selector) : null;
    };
    const all = (root, selector) => root ? Array.from(root.querySelectorAll(selector)) : [];

    // --- the queue ---

    const looks = follow("sdpipe_pipelines_queue", (isNew) => {
        ask("queue", {do: "look", quietly: true});
        if (isNew && within("sdpipe_pipelines_chain", "[data-sdpipe-pending]")) ask("chain", {do: "show", quietly: true});
    }, () => {
        if (within("sdpipe_pipelines_now", "[data-sdpipe-working]")) return WORKING_MS;
        if (within("sdpipe_pipelines_queue", "[data-sdpipe-pending]")) return WORKING_MS;
        return within("sdpipe_pipelines_queue", "[data-sdpipe-waits]") ? WAITING_MS : IDLE_MS;
    }, (part) => keepFocus(part, "data-sdpipe-keep", () => {}));

    // What was pressed may have changed the queue, and nobody looks while nothing is made.
    function lookSoon() {
        setTimeout(() => ask("queue", {do: "look", quietly: true}), ANSWERED_MS);
        setTimeout(() => ask("queue", {do: "look", quietly: true}), ANSWERED_MS * 5);
    }

    // --- a chain, out of its fields ---

    function readTexts(root, attribute) {
        const texts = {};
        for (const field of all(root, `[data-sdpipe-${attribute}]`)) {
            if (field.value.trim()) texts[field.getAttribute(`data-sdpipe-${attribute}`)] = field.value;
        }
        return texts;
    }

    function readStage(item) {
        const texts = readTexts(item, "field");
        const other = texts.other || "";
        delete texts.other;
        return {stage: item.dataset.sdpipeStage, texts, other};
    }

    function readPack(editor) {
        const pack = editor.querySelector("[data-sdpipe-pack]");
        if (!pack) return null;
        const found = {name: pack.dataset.sdpipePack, texts: {}, digests: {}, ...readTexts(pack, "pack-set")};
        for (const field of all(pack, "[data-sdpipe-pack-text]")) {
            found.texts[field.dataset.sdpipePackText] = field.value;
            found.digests[field.dataset.sdpipePackText] = field.dataset.sdpipeDigest;
        }
        found.used = pack.querySelector("[data-sdpipe-pack-used]").checked;
        return found;
    }

    function readDraft() {
        const editor = within("sdpipe_pipelines_chain", "[data-sdpipe-editor]");
        if (!editor) return {};
        const label = within("sdpipe_pipelines_add", "[data-sdpipe-label]");
        return {
            sources: JSON.parse(editor.querySelector("[data-sdpipe-sources]").dataset.sdpipeSources),
            stages: all(editor, "[data-sdpipe-stage]").map(readStage),
            label: label ? label.value : "",
            recipe: editor.dataset.sdpipeRecipe ? JSON.parse(editor.dataset.sdpipeRecipe) : null,
            pack: readPack(editor),
        };
    }

    const valueOf = (selector) => {
        const found = within("sdpipe_pipelines_chain", selector);
        return found ? found.value : "";
    };

    // What is asked of the chain is completed with what stands in the fields.
    completeWith("chain", (data) => {
        const names = {
            "recipe-load": {recipe: "[data-sdpipe-recipe-name]"}, "recipe-delete": {recipe: "[data-sdpipe-recipe-name]"},
            "recipe-save": {as: "[data-sdpipe-recipe-as]"}, "recipe-text": {text: "[data-sdpipe-chain-text]"},
            "pack-open": {pack: "[data-sdpipe-pack-name]"}, "pack-save": {as: "[data-sdpipe-pack-as]"},
        }[data.do] || {};
        const values = Object.entries(names).map(([name, selector]) => [name, valueOf(selector)]);
        return {...Object.fromEntries(values), ...data, draft: readDraft()};
    });

    function checkSoon() {
        clearTimeout(checking);
        checking = setTimeout(() => ask("chain", {do: "check", quietly: true}), CHECK_MS);
    }

    // --- faults, beside their fields ---

    function showFaults() {
        const status = within("sdpipe_pipelines_status", "[data-sdpipe-faults]");
        const faults = status ? read(status.dataset.sdpipeFaults) : [];
        const stages = all(get("sdpipe_pipelines_chain"), "[data-sdpipe-stage]");
        stages.forEach((stage, number) => {
            for (const slot of all(stage, "[data-sdpipe-fault]")) {
                const fault = Array.isArray(faults) && faults.find((one) => one.stage === number && one.field === slot.dataset.sdpipeFault);
                const text = fault ? fault.sentence : "";
                if (slot.textContent !== text) slot.textContent = text;
                const field = stage.querySelector(`[data-sdpipe-field="${slot.dataset.sdpipeFault}"]`);
                if (field) field.setAttribute("aria-invalid", String(Boolean(fault)));
                if (fault && slot.closest("details")) slot.closest("details").open = true;
            }
        });
    }

    // --- pictures and files ---

    function sendMask(field) {
        const [file] = field.files;
        const carrier = document.querySelector("#sdpipe_pipelines_mask input[type=file]");
        if (!file || !carrier) return;
        masked = Number(field.dataset.sdpipeMaskFile);
        const files = new DataTransfer();
        files.items.add(file);
        carrier.files = files.files;
        carrier.dispatchEvent(new Event("change", {bubbles: true}));
    }

    function takeMask(place) {
        const kept = place.querySelector("[data-sdpipe-kept-picture]");
        const stage = masked === null ? null : all(get("sdpipe_pipelines_chain"), "[data-sdpipe-stage]")[masked];
        if (!kept || !stage || !stage.querySelector("[data-sdpipe-field=mask]")) return;
        stage.querySelector("[data-sdpipe-field=mask]").value = kept.dataset.sdpipeKeptPicture;
        masked = null;
        ask("chain", {do: "show"});
    }

    function sendText(field) {
        const [file] = field.files;
        if (!file) return;
        const kind = field.dataset.sdpipeTextFile;
        const done = (text) => ask("chain", {do: `${kind}-text`, name: file.name, text});
        if (file.size > LARGEST_TEXT) done(" ".repeat(LARGEST_TEXT + 1));
        else file.text().then(done);
        field.value = "";
    }

    function saveText() {
        const text = valueOf("[data-sdpipe-chain-text]");
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
        link.download = `${valueOf("[data-sdpipe-recipe-as]") || "recipe"}.json`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), WORKING_MS);
    }

    // --- making again ---

    function completeAgain(data) {
        const card = within("sdpipe_pipelines_again", "[data-sdpipe-again]");
        data.texts = readTexts(card, "vary");
        const boxes = all(card, "[data-sdpipe-back]");
        if (boxes.length) data.back = boxes.filter((box) => box.checked).map((box) => box.dataset.sdpipeBack);
        return data;
    }

    // --- what is pressed ---

    // Before sdpipe.js asks: what it sends is read here.
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const button = target && target.closest("[data-sdpipe-ask='chain'], [data-sdpipe-ask='again'], [data-sdpipe-ask='queue']");
        if (!button) return;
        const data = read(button.dataset.sdpipeWith);
        if (button.dataset.sdpipeAsk === "chain") clearTimeout(checking); // its answer tells as much, and what was done besides
        if ("sdpipeWithAgain" in button.dataset) button.dataset.sdpipeWith = JSON.stringify(completeAgain(data));
        if (["queue", "make", "regenerate", "release"].includes(data.do) || button.dataset.sdpipeAsk === "queue") lookSoon();
        if (data.do === "open" || data.do === "from-run") wantsSight = "sdpipe_pipelines_chain";
        if (data.do === "plan" && button.closest("#sdpipe_section_browse")) wantsSight = "sdpipe_pipelines_again";
    }, true);
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        if (target && target.closest("[data-sdpipe-save-text]")) saveText();
    });
    document.addEventListener("change", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        if (!target || !target.closest("#sdpipe_pipelines_chain")) return;
        if (target.matches("[data-sdpipe-mask-file]")) sendMask(target);
        else if (target.matches("[data-sdpipe-text-file]")) sendText(target);
        else if (target.matches("[data-sdpipe-field], [data-sdpipe-pack-used], [data-sdpipe-pack-set], [data-sdpipe-pack-text]")) checkSoon();
    });

    function bringIntoSight() {
        const part = wantsSight && get(wantsSight);
        if (!part || !part.getClientRects().length) return;
        wantsSight = "";
        part.scrollIntoView({block: "start", behavior: "smooth"});
    }

    function watch() {
        const parts = ["chain", "status", "again", "kept"].map((name) => get(`sdpipe_pipelines_${name}`));
        if (parts.some((part) => !part)) {
            setTimeout(watch, WORKING_MS / 2);
            return;
        }
        const [chain, status, again, kept] = parts;
        keepFocus(chain, "data-sdpipe-keep", () => {
            showFaults();
            bringIntoSight();
        });
        keepFocus(again, "data-sdpipe-keep", bringIntoSight);
        new MutationObserver(showFaults).observe(status, {childList: true, subtree: true});
        new MutationObserver(() => takeMask(kept)).observe(kept, {childList: true, subtree: true});
        looks.tick();
    }

    watch();
})();
