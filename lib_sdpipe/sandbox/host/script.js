// What extensions' scripts find in a host's page, and the accordions that are inputs.
function gradioApp() {
    const outer = document.getElementsByTagName('gradio-app')[0];
    return (outer && outer.shadowRoot) || document;
}
const uiLoaded = [], uiUpdates = [], afterUiUpdates = [], tabChanges = [], optionChanges = [];
function onUiLoaded(f) { uiLoaded.push(f); }
function onUiUpdate(f) { uiUpdates.push(f); }
function onAfterUiUpdate(f) { afterUiUpdates.push(f); }
function onUiTabChange(f) { tabChanges.push(f); }
function onOptionsChanged(f) { optionChanges.push(f); }
function callAll(list, ...args) {
    for (const f of list) { try { f(...args); } catch (error) { console.error(error); } }
}
function tabButtons() { return [...gradioApp().querySelectorAll('#tabs > .tab-nav > button, #tabs > .tab-wrapper [role=tab]')]; }
function get_uiCurrentTab() { return tabButtons().find(x => x.classList.contains('selected')); }
function get_uiCurrentTabContent() { return gradioApp().querySelector('#tabs > .tabitem[id^=tab_]:not([style*="display: none"])'); }
function switchToTab(name) {
    const wanted = {inpaint: 'img2img'}[name] || name;
    const button = tabButtons().find(x => x.innerText.trim().toLowerCase() === wanted);
    if (button) button.click();
}
function switch_to_txt2img() { switchToTab('txt2img'); }
function switch_to_img2img() { switchToTab('img2img'); }
function restartReload() {
    document.body.innerHTML = '<h1 style="font-family:monospace;margin:20% auto;text-align:center">Reloading...</h1>';
    const ask = () => fetch('./internal/ping').then(r => r.ok ? location.reload() : setTimeout(ask, 300), () => setTimeout(ask, 300));
    setTimeout(ask, 1500);
}
// An accordion made as an input follows its checkbox, and the checkbox follows it.
function linkAccordion(accordion) {
    const box = gradioApp().querySelector(`#${CSS.escape(accordion.id)}-checkbox input`);
    const label = accordion.querySelector('.label-wrap');
    if (!box || !label || accordion.dataset.linked) return;
    accordion.dataset.linked = '1';
    const follow = () => { if (label.classList.contains('open') !== box.checked) box.click(); };
    new MutationObserver(follow).observe(label, {attributes: true, attributeFilter: ['class']});
    box.addEventListener('change', () => { if (label.classList.contains('open') !== box.checked) label.click(); });
}
document.addEventListener('DOMContentLoaded', () => {
    let loaded = false, timer = null, lastTab = null;
    const observer = new MutationObserver(mutations => {
        gradioApp().querySelectorAll('.input-accordion').forEach(linkAccordion);
        if (!loaded && gradioApp().querySelector('#txt2img_prompt')) { loaded = true; callAll(uiLoaded); }
        callAll(uiUpdates, mutations);
        const tab = get_uiCurrentTab();
        if (tab && tab !== lastTab) { lastTab = tab; callAll(tabChanges); }
        clearTimeout(timer);
        timer = setTimeout(() => callAll(afterUiUpdates), 200);
    });
    observer.observe(gradioApp(), {childList: true, subtree: true});
});
document.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    const tab = get_uiCurrentTabContent();
    const button = tab && tab.querySelector('button[id$=_generate]');
    if (button) { button.click(); event.preventDefault(); }
});
