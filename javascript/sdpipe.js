// The Runs tab's share of the browser: carries presses of its own buttons to gradio, turns to a section, keeps what is
// picked, looks again while the tab is visible, copies text. No library and nothing of the host's, so it works outside
// a WebUI too.
(function() {
    "use strict";

    const TICK_MS = 500;
    const POLL_MS = 3000;
    const SIGN_WIDTH = 321;
    const TAKEN_MS = 1500;
    const ANSWERED_MS = 10000;
    const PATIENCE_MS = 15000;
    const SOON_MS = 30;
    const lines = new Map();
    const completers = new Map();
    const picked = new Map();
    let count = 0;
    let watched = null;
    let pressed = null;
    let noticed = "";

    const get = (id) => document.getElementById(id);

    // --- asking ---

    function press(id) {
        const found = get(id);
        const button = found && (found.tagName === "BUTTON" ? found : found.querySelector("button"));
        if (button) button.click();
    }

    // What one part of the page is asked goes one after the other, each once the answer before it is on the page: two on their way
    // together could be answered in the other order, and gradio reads what is asked only a moment after the press.
    // frame.py names the part, and repeats the number of an ask in the hidden input once it is answered.
    function lineOf(name) {
        const button = get(`sdpipe_ask_${name}`);
        const named = button && Array.from(button.classList).find((one) => one.startsWith("sdpipe_line_"));
        const key = named || name;
        if (!lines.has(key)) lines.set(key, []);
        return lines.get(key);
    }

    // What the page asks `quietly`, by its clock, can be left out where something waits to be asked anyway.
    function ask(name, data) {
        const line = lineOf(name);
        if (data && data.quietly && line.some((one) => !one.taken)) return;
        count += 1;
        line.push({name, data: data || {}, number: count, from: Date.now(), pressed: 0, taken: 0});
        if (line.length === 1) goOn(line);
    }

    function goOn(line) {
        const [first] = line;
        if (!first) return;
        const now = Date.now();
        if (isDone(first, now)) {
            line.shift();
            if (line.length) line[0].from = now;
            goOn(line);
            return;
        }
        // A tab that nobody has opened yet is not on the page of newer gradios, and a button that is new takes no press yet.
        if (!first.taken && now - first.pressed >= TAKEN_MS && get(`sdpipe_ask_${first.name}`)) {
            first.pressed = now;
            press(`sdpipe_ask_${first.name}`);
        }
        setTimeout(goOn, SOON_MS, line);
    }

    function isDone(one, now) {
        if (!one.taken) return now - one.from >= PATIENCE_MS;
        const carrier = document.querySelector(`#sdpipe_asked_${one.name} :is(textarea, input)`);
        return !carrier || carrier.value === String(one.number) || now - one.taken >= ANSWERED_MS;
    }

    // gradio calls this for the value of the hidden input of what was pressed: nothing where it had taken that already.
    function take(name) {
        const first = Array.from(lines.values(), (line) => line[0]).find((one) => one && one.name === name && !one.taken);
        if (!first) return "";
        first.taken = Date.now();
        const complete = completers.get(name);
        return JSON.stringify({...(complete ? complete(first.data) : first.data), asked: first.number});
    }

    // complete(data) adds what stands on the page when an ask of that name is sent, which can be after the press.
    function completeWith(name, complete) {
        completers.set(name, complete);
    }

    function turnTo(section) {
        const own = get(`sdpipe_section_${section}-button`);
        if (own) {
            own.click();
            return;
        }
        // gradio 3.41 gives the buttons no ids; they stand in the order of their sections.
        const sections = Array.from(document.querySelectorAll("#sdpipe_sections > [id^='sdpipe_section_']"));
        const buttons = document.querySelectorAll("#sdpipe_sections > .tab-nav > button");
        const button = buttons[sections.indexOf(get(`sdpipe_section_${section}`))];
        if (button) button.click();
    }

    // The host's tabs: gradio 4 names their buttons; before that they stand in the order of the tabs.
    function turnToRuns() {
        const tab = get("tab_sdpipe_runs");
        const own = get("tab_sdpipe_runs-button");
        const all = tab && Array.from(tab.parentElement.children).filter((child) => child.id.startsWith("tab_"));
        const button = own || (all && tab.parentElement.querySelectorAll(":scope > .tab-nav > button")[all.indexOf(tab)]);
        if (button) button.click();
    }

    function read(text) {
        try {
            return JSON.parse(text || "{}");
        } catch {
            return {};
        }
    }

    function askAs(element) {
        const data = read(element.dataset.sdpipeWith);
        if ("sdpipeSendPicked" in element.dataset) data.picked = Array.from(picked.values());
        if ("sdpipeRunsTab" in element.dataset) turnToRuns();
        if (element.dataset.sdpipeSection) turnTo(element.dataset.sdpipeSection);
        ask(element.dataset.sdpipeAsk, data);
    }

    // A double click asks once: the answer to the same question again would be that it is being done, or was.
    function askOnce(element, clicks) {
        const asked = element.dataset.sdpipeAsk + element.dataset.sdpipeWith;
        if (clicks > 1 && asked === pressed) return;
        pressed = asked;
        askAs(element);
    }

    // --- picking ---

    const key = (what) => JSON.stringify([what.run, what.name, what.root, what.path]);

    function setPicked(what, isPicked) {
        if (isPicked) picked.set(key(what), what);
        else picked.delete(key(what));
        showPicked();
    }

    function clearPicked() {
        picked.clear();
        showPicked();
    }

    function showPicked() {
        checkBoxes();
        document.dispatchEvent(new CustomEvent("sdpipe-picked", {detail: Array.from(picked.values())}));
    }

    // Boxes that came onto the page meanwhile. It tells nobody: who is told writes to the page, and that leads here again.
    function checkBoxes() {
        for (const box of document.querySelectorAll("[data-sdpipe-pick]")) {
            const isPicked = picked.has(key(read(box.dataset.sdpipePick)));
            if (box.checked !== isPicked) box.checked = isPicked;
        }
    }

    // --- looking again ---

    // Calls look(whether it has just come into sight) while the part of that id is in sight: at once, then after wait(part) ms.
    // whenFound(part) is called once for the part, seen or not.
    function follow(id, look, wait, whenFound = () => {}) {
        let found = null;
        let wasVisible = false;
        let last = 0;
        const tick = () => {
            const part = get(id);
            if (part && part !== found) whenFound(part);
            found = part;
            const visible = Boolean(part) && !document.hidden && part.getClientRects().length > 0;
            if (visible && (!wasVisible || Date.now() - last >= wait(part))) {
                last = Date.now();
                look(!wasVisible);
            }
            wasVisible = visible;
        };
        setInterval(tick, TICK_MS);
        document.addEventListener("visibilitychange", tick);
        return {tick, setLast: (time) => {
            last = time;
        }};
    }

    // A part that is written anew takes the keyboard's place with it: give it back to what has the same value of that attribute.
    function keepFocus(part, attribute, changed) {
        let kept = null;
        part.addEventListener("focusin", (event) => {
            kept = event.target.getAttribute(attribute);
        });
        part.addEventListener("focusout", (event) => {
            if (event.target.isConnected && event.relatedTarget) kept = null;
        });
        new MutationObserver(() => {
            changed();
            if (!kept || document.activeElement !== document.body) return;
            const all = Array.from(part.querySelectorAll(`[${attribute}]`));
            const same = all.find((found) => found.getAttribute(attribute) === kept && !found.disabled);
            if (same) same.focus({preventScroll: true});
        }).observe(part, {childList: true, subtree: true});
    }

    const runs = follow("sdpipe_runs", () => {
        ask("look");
        ask("look_run");
    }, (part) => part.querySelector("[data-sdpipe-pending], [data-sdpipe-running]") ? POLL_MS : Infinity);

    function showOpen() {
        const open = document.querySelector("#sdpipe_run [data-sdpipe-open-run]");
        const run = open && open.dataset.sdpipeOpenRun;
        for (const row of document.querySelectorAll("#sdpipe_runs [data-sdpipe-run]")) {
            const isOpen = row.dataset.sdpipeRun === run;
            if (isOpen && row.getAttribute("aria-current") !== "true") row.setAttribute("aria-current", "true");
            else if (!isOpen && row.hasAttribute("aria-current")) row.removeAttribute("aria-current");
        }
    }

    // What was not done is said at the top, and somebody may have pressed far below.
    function showNotice() {
        const notice = get("sdpipe_notice");
        const text = notice ? notice.textContent.trim() : "";
        if (text === noticed) return;
        noticed = text;
        const place = notice.getBoundingClientRect();
        if (text && place.height > 0 && place.bottom < 0) notice.scrollIntoView({block: "start", behavior: "smooth"});
    }

    function watch() {
        const tab = get("sdpipe_tab");
        if (!tab || watched === tab) return;
        watched = tab;
        const observer = new MutationObserver(() => {
            showOpen();
            showNotice();
            if (picked.size) checkBoxes();
            observer.takeRecords(); // what that has changed itself is no reason to do it again
        });
        observer.observe(tab, {childList: true, subtree: true});
    }

    // --- copying ---

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
        const button = target && target.closest("[data-sdpipe-ask], [data-sdpipe-copy]");
        if (button && "sdpipeAsk" in button.dataset) askOnce(button, event.detail);
        else if (button) copy(button);
        else setTimeout(runs.tick, 50); // perhaps it was the press that opened the tab
    });
    document.addEventListener("change", (event) => {
        const box = event.target instanceof Element ? event.target.closest("[data-sdpipe-pick]") : null;
        if (box) setPicked(read(box.dataset.sdpipePick), box.checked);
    });
    // A browser shows the sign for a missing file again without asking, though the file may be back: this asks.
    document.addEventListener("load", (event) => {
        const picture = event.target;
        if (!(picture instanceof HTMLImageElement) || picture.naturalWidth !== SIGN_WIDTH || picture.dataset.sdpipeAsked) return;
        if (!picture.closest("#sdpipe_tab")) return;
        picture.dataset.sdpipeAsked = "true";
        picture.src += `&again=${Date.now()}`;
    }, true);
    setInterval(watch, TICK_MS);

    window.sdpipe = {ask, take, completeWith, turnTo, read, key, press, follow, keepFocus, picked: () => Array.from(picked.values()), setPicked, clearPicked};
})();
