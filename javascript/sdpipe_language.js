// Translations of what the host's own script leaves as it is: titles and names for screen readers inside our part of the
// page, and texts with a number or a name in them. Outside a WebUI all texts. The texts are localizations/*.json, which a
// host puts together with those of others as window.localization. `#` in one is a number, `{}` is anything.
(function() {
    "use strict";

    const OURS = "#sdpipe_tab, #sdpipe_txt2img_panel, #sdpipe_img2img_panel";
    const ATTRIBUTES = ["title", "aria-label", "placeholder", "alt"];
    // What people or programs wrote stays as it is.
    const THEIRS = "pre, code, script, style, textarea, [dir='auto'], [translate='no'], [contenteditable]";
    const NUMBER = /\d+(?:[.,]\d+)*/g;
    const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const DAY = /^(?:([A-Z][a-z]{2}) )?(\d{1,2}) ([A-Z][a-z]{2})(?: (\d{4}))?(?:, (\d\d:\d\d(?::\d\d)?))?$/;
    const LANGUAGE = "SDPipe: language of this file";
    const LONGEST = 600;
    const FEW_LETTERS = 10;
    const ONE_NAME = /^[A-Za-z]+(\{\})?: \{\}$/;
    const NEUTRAL = /^(\S*|\d[\d.,×]*( \S+){1,3})$/;
    const SMALL_WORD = /^[a-z]+$/;
    const EDGES = /^[\s:,·]+(?=[^\s:,·])|\s+$/g;
    const known = new Map();
    let patterns = null;

    const all = () => window.localization || {};
    const has = (text) => Object.prototype.hasOwnProperty.call(all(), text) && typeof all()[text] === "string";
    const quote = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

    // `{2}` and `#2` name what stood second, where a language puts it elsewhere.
    function fill(translation, values) {
        let next = 0;
        return translation.replace(/\{(\d?)\}|#(\d?)/g, (_, one, other) => values[(one || other) ? (one || other) - 1 : next++] ?? "");
    }

    // Texts with `{}`, those with the most words of their own first. One with hardly any fits what people write: there
    // only a word, or a number and a few words, may stand for it.
    function findPatterns() {
        return Object.keys(all()).filter((key) => key.includes("{}")).sort((a, b) => b.length - a.length).map((key) => {
            const isLoose = key.replace(/[^A-Za-z]/g, "").length < FEW_LETTERS && !ONE_NAME.test(key);
            const value = isLoose ? "(\\S*|[\\d.,]+(?: \\S+){1,3})" : "(.*?)";
            const pattern = quote(key).replace(/\\\{\\\}/g, value).replace(/#/g, "(\\d+(?:[.,]\\d+)*)");
            return {key, isLoose, test: new RegExp(`^${pattern}$`, "s")};
        });
    }

    // "Sat 21 Nov", "25 Dec 2025, 14:30:22": the browser knows how a language writes days.
    function translateDay(text) {
        const [whole, weekday, day, month, year, time] = DAY.exec(text) || [];
        const language = all()[LANGUAGE];
        if (!whole || !language) return null;
        const parts = {day: "numeric", month: "short", weekday: weekday && "short", year: year && "numeric"};
        const moment = new Date(year || new Date().getFullYear(), MONTHS.indexOf(month) / 3, day);
        return [new Intl.DateTimeFormat(language, parts).format(moment), time].filter(Boolean).join(" ");
    }

    function translateExact(text) {
        if (has(text)) return all()[text];
        const numbers = text.match(NUMBER);
        const key = numbers && text.replace(NUMBER, "#");
        return key && has(key) ? fill(all()[key], numbers) : translateDay(text);
    }

    function translatePattern(text, isLoose) {
        patterns = patterns || findPatterns();
        for (const pattern of patterns) {
            const found = pattern.isLoose === isLoose ? pattern.test.exec(text) : null;
            if (found) return fill(all()[pattern.key], found.slice(1).map((value) => value.replace(value.trim(), () => translate(value.trim()) ?? value.trim())));
        }
        return null;
    }

    // "3 of 8 images, 2 saved" is two texts. Beside them may stand names and measures, which are single words, or begin with
    // a number. A single small word is no text here: what people write is full of them.
    function translateParts(text, separators) {
        for (const between of separators) {
            const parts = text.split(between);
            if (parts.length < 2) continue;
            const done = parts.map((part) => SMALL_WORD.test(part) ? null : translate(part));
            if (done.some((part) => part !== null) && parts.every((part, place) => done[place] !== null || NEUTRAL.test(part))) {
                return parts.map((part, place) => done[place] ?? part).join(between);
            }
        }
        return null;
    }

    function translateAny(text) {
        return translateExact(text) ?? translateParts(text, ["; ", " · ", " × "]) ?? translatePattern(text, false)
            ?? translateParts(text, [": ", ", "]) ?? translatePattern(text, true);
    }

    function translate(text) {
        if (!text || text.length > LONGEST || !/[A-Za-z]/.test(text)) return null;
        if (!known.has(text)) {
            if (known.size > 5000) known.clear();
            known.set(text, translateAny(text));
        }
        return known.get(text);
    }

    function translateNode(node) {
        const text = node.nodeValue.replace(EDGES, "");
        if (!text || !node.parentElement || node.parentElement.closest(THEIRS)) return;
        const translation = translate(text);
        if (translation !== null && translation !== text) node.nodeValue = node.nodeValue.replace(text, () => translation);
    }

    function translateAttributes(element) {
        const isTheirs = element.closest("[dir='auto'], [translate='no']") !== null;
        for (const name of ATTRIBUTES) {
            if (isTheirs && (name === "title" || name === "alt")) continue;
            const text = element.getAttribute(name);
            const translation = text && translate(text.trim());
            if (translation && translation !== text) element.setAttribute(name, translation);
        }
    }

    function translateBelow(root) {
        if (root.nodeType === Node.TEXT_NODE) {
            translateNode(root);
            return;
        }
        if (root.nodeType !== Node.ELEMENT_NODE) return;
        translateAttributes(root);
        const selector = ATTRIBUTES.map((name) => `[${name}]`).join();
        for (const element of root.querySelectorAll(selector)) translateAttributes(element);
        const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) translateNode(walk.currentNode);
    }

    const isOurs = (node) => {
        const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
        return element !== null && element.closest(OURS) !== null;
    };

    // The host's script takes the blanks off the ends of what it translates, and words run together.
    function giveBlanksBack(node, before) {
        const text = before.trim();
        if (text !== before && has(text) && node.nodeValue === all()[text]) node.nodeValue = before.replace(text, () => all()[text]);
    }

    function look(changes) {
        for (const change of changes) {
            if (change.type === "attributes") {
                if (isOurs(change.target)) translateAttributes(change.target);
                continue;
            }
            if (change.type === "characterData") {
                if (!isOurs(change.target)) continue;
                giveBlanksBack(change.target, change.oldValue);
                translateNode(change.target);
                continue;
            }
            for (const node of change.addedNodes) {
                if (isOurs(node)) translateBelow(node);
                else if (node.nodeType === Node.ELEMENT_NODE) node.querySelectorAll(OURS).forEach(translateBelow);
            }
        }
    }

    function begin() {
        if (Object.keys(all()).length === 0) return;
        document.querySelectorAll(OURS).forEach(translateBelow);
        new MutationObserver(look).observe(document.body, {
            childList: true, subtree: true, characterData: true, characterDataOldValue: true, attributes: true,
            attributeFilter: ATTRIBUTES,
        });
    }

    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
    else begin();
})();
