"""SDPipe in a WebUI: declares the Script and registers callbacks. No logic; the host executes this file at every Reload UI."""

from lib_sdpipe.api.mount import mount_api
from lib_sdpipe.hosts import extension, settings
from lib_sdpipe.ui.background import Background
from lib_sdpipe.ui.panel import build_panel
from lib_sdpipe.ui.tab import build_tab
from modules import script_callbacks, scripts, scripts_postprocessing

_extension = extension.attach()
_session = _extension.session
_background = Background(_session.is_host_busy)


class SDPipeScript(scripts.Script):
    def title(self):
        return "SDPipe"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        tab = "img2img" if is_img2img else "txt2img"
        return build_panel(tab, settings.default_options(), settings.default_then(), settings.is_paused(), _extension.tab_host)

    def setup(self, p, *args):
        _session.setup(p)

    def before_process(self, p, *args):
        _session.before_process(p, args)

    def process(self, p, *args):
        _session.process(p)

    def before_process_batch(self, p, *args, **kwargs):
        _session.before_process_batch(p, kwargs.get("batch_number", 0))
        _extension.then.before_process_batch(p, kwargs.get("batch_number", 0))

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        _session.postprocess_batch_list(p, pp.images)

    def postprocess_image_after_composite(self, p, pp, *args):
        _session.after_composite(p, pp.image)

    def postprocess(self, p, processed, *args):
        _extension.then.postprocess(p, processed)


class SDPipeExtras(scripts_postprocessing.ScriptPostprocessing):
    name = "SDPipe"
    order = 1_000_000

    def ui(self):
        return {}

    def process_firstpass(self, pp, **args):
        _session.extras_tab.first_pass(pp)

    def process(self, pp, **args):
        _session.extras_tab.process(pp)


script_callbacks.on_ui_settings(settings.register_settings)
script_callbacks.on_ui_tabs(lambda: [(build_tab(_extension.tab_host, settings.hides_folders(), _background), "Runs", "sdpipe_runs")])
script_callbacks.on_app_started(_extension.start)
script_callbacks.on_app_started(lambda demo, app: mount_api(app, _extension.api_host))
script_callbacks.on_before_image_saved(_session.saves.before_image_saved)
script_callbacks.on_image_saved(_session.saves.image_saved)
script_callbacks.on_image_grid(lambda params: _session.saves.image_grid(params.imgs))
script_callbacks.on_script_unloaded(_background.stop)
script_callbacks.on_script_unloaded(_extension.detach)
