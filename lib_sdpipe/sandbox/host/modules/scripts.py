"""The base class of scripts, their loading from `scripts/*.py`, and the runners of the two tabs."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections import namedtuple
from types import ModuleType
from typing import Any

from modules import errors, extensions, paths, script_callbacks, script_loading, scripts_postprocessing, util
from modules.script_hooks import (  # noqa: F401  extensions find them here
    MaskBlendArgs,
    OnComponent,
    PostprocessBatchListArgs,
    PostprocessImageArgs,
    PostProcessMaskOverlayArgs,
    PostSampleArgs,
)

AlwaysVisible = object()
ScriptFile = namedtuple("ScriptFile", ["basedir", "filename", "path"])
ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])

scripts_data: list[ScriptClassData] = []
postprocessing_scripts_data: list[ScriptClassData] = []
scripts_txt2img: Any = None
scripts_img2img: Any = None
scripts_postproc: Any = None
scripts_current: Any = None
current_basedir = paths.script_path


class Script:
    """A script has two instances, one a tab. Hooks do nothing here; a hook counts only where its class defines it."""

    name: str | None = None
    section: str | None = None
    filename: str | None = None
    args_from: int | None = None
    args_to: int | None = None
    alwayson = False
    is_txt2img = False
    is_img2img = False
    tabname: str | None = None
    group: Any = None
    create_group = True
    infotext_fields: list[Any] | None = None
    paste_field_names: list[str] | None = None
    api_info: Any = None
    on_before_component_elem_id: list[Any] | None = None
    on_after_component_elem_id: list[Any] | None = None
    setup_for_ui_only = False
    controls: list[Any] | None = None

    def title(self) -> str:
        raise NotImplementedError()

    def ui(self, is_img2img: bool) -> Any:
        """Build the controls; their values become the `args` of every hook."""

    def show(self, is_img2img: bool) -> Any:
        return True

    def run(self, p: Any, *args: Any) -> Any:
        """Called instead of process_images when the script is selected."""

    def setup(self, p: Any, *args: Any) -> None:
        pass

    def before_process(self, p: Any, *args: Any) -> None:
        pass

    def process(self, p: Any, *args: Any) -> None:
        pass

    def before_process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def after_extra_networks_activate(self, p: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def process_before_every_sampling(self, p: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def process_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def postprocess_batch_list(self, p: Any, pp: PostprocessBatchListArgs, *args: Any, **kwargs: Any) -> None:
        pass

    def on_mask_blend(self, p: Any, mba: MaskBlendArgs, *args: Any) -> None:
        pass

    def post_sample(self, p: Any, ps: PostSampleArgs, *args: Any) -> None:
        pass

    def postprocess_image(self, p: Any, pp: PostprocessImageArgs, *args: Any) -> None:
        pass

    def postprocess_maskoverlay(self, p: Any, ppmo: PostProcessMaskOverlayArgs, *args: Any) -> None:
        pass

    def postprocess_image_after_composite(self, p: Any, pp: PostprocessImageArgs, *args: Any) -> None:
        pass

    def postprocess(self, p: Any, processed: Any, *args: Any) -> None:
        pass

    def before_component(self, component: Any, **kwargs: Any) -> None:
        pass

    def after_component(self, component: Any, **kwargs: Any) -> None:
        pass

    def before_hr(self, p: Any, *args: Any) -> None:
        pass

    def on_before_component(self, callback: Any, *, elem_id: str) -> None:
        self.on_before_component_elem_id = [*(self.on_before_component_elem_id or []), (elem_id, callback)]

    def on_after_component(self, callback: Any, *, elem_id: str) -> None:
        self.on_after_component_elem_id = [*(self.on_after_component_elem_id or []), (elem_id, callback)]

    def describe(self) -> str:
        return ""

    def _tab_prefix(self) -> str:
        kind = "img2img_" if self.is_img2img else "txt2img_"
        return kind if self.show(True) == self.show(False) else ""

    def elem_id(self, item_id: str) -> str:
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{self._tab_prefix()}{title}_{item_id}"


class ScriptBuiltinUI(Script):
    """A part of the page that is built like a script; its setup is skipped for the API."""

    setup_for_ui_only = True

    def elem_id(self, item_id: str) -> str:
        return f"{self._tab_prefix()}{item_id}"

    def show(self, is_img2img: bool) -> Any:
        return AlwaysVisible


def basedir() -> str:
    """The root of the extension whose script is being loaded; only true while it is loaded."""
    return current_basedir


def list_scripts(scriptdirname: str, extension: str, *, include_extensions: bool = True) -> list[ScriptFile]:
    """The host's own files, then those of the extensions, moved only where a metadata.ini asks for it."""
    own = os.path.join(paths.script_path, *scriptdirname.split("/"))
    names = sorted(os.listdir(own)) if os.path.isdir(own) else []
    files = {x: ScriptFile(paths.script_path, x, os.path.join(own, x)) for x in names if x.endswith(extension)}
    if not include_extensions:
        return list(files.values())
    after: dict[str, list[str]] = {x: [] for x in files}
    of_extension: dict[str, list[str]] = {}
    before: list[tuple[str, list[str]]] = []
    for ext in extensions.active():
        for path in ext.list_files(scriptdirname, extension):
            filename = os.path.basename(path)
            key, relative = f"{ext.canonical_name}/{filename}", f"{scriptdirname}/{filename}"
            files[key] = ScriptFile(ext.path, filename, path)
            of_extension.setdefault(ext.canonical_name, []).append(key)
            after[key] = ext.metadata.get_script_requirements("After", relative, scriptdirname)
            before.append((key, ext.metadata.get_script_requirements("Before", relative, scriptdirname)))
    for key, wished in before:
        for target in (y for x in wished for y in of_extension.get(x, [x])):
            after.setdefault(target, []).append(key)
    after = {key: [y for x in after.get(key, []) for y in of_extension.get(x, [x])] for key in files}
    return [files[key] for key in util.topological_sort(after)]


def list_files_with_name(filename: str) -> list[str]:
    candidates = [os.path.join(x, filename) for x in [paths.script_path, *(e.path for e in extensions.active())]]
    return [x for x in candidates if os.path.isfile(x)]


def _register(module: ModuleType, file: ScriptFile) -> None:
    for value in list(vars(module).values()):
        if inspect.isclass(value) and issubclass(value, Script):
            scripts_data.append(ScriptClassData(value, file.path, file.basedir, module))
        elif inspect.isclass(value) and issubclass(value, scripts_postprocessing.ScriptPostprocessing):
            postprocessing_scripts_data.append(ScriptClassData(value, file.path, file.basedir, module))


def load_scripts() -> None:
    """Forget all callbacks and execute every scripts/*.py anew."""
    global current_basedir, scripts_txt2img, scripts_img2img, scripts_postproc
    from modules.script_runner import ScriptRunner
    from modules.shared import is_forge

    scripts_data.clear()
    postprocessing_scripts_data.clear()
    script_callbacks.clear_callbacks()
    files = list_scripts("scripts", ".py") + list_scripts("modules/processing_scripts", ".py", include_extensions=False)
    before = sys.path
    if is_forge():  # Forge keeps every extension's root on the path, A1111 only while its file is executed
        before = sys.path = [x.basedir for x in files if x.basedir not in sys.path] + sys.path
    for file in files:
        try:
            if file.basedir != paths.script_path:
                sys.path = [file.basedir, *before]
            current_basedir = file.basedir
            _register(script_loading.load_module(file.path), file)
        except Exception:
            errors.report(f"Error loading script: {file.filename}", exc_info=True)
        finally:
            sys.path = before
            current_basedir = paths.script_path
    scripts_txt2img, scripts_img2img = ScriptRunner(), ScriptRunner()
    scripts_postproc = scripts_postprocessing.ScriptPostprocessingRunner()


reload_scripts = load_scripts


def __getattr__(name: str) -> Any:
    if name == "ScriptRunner":  # the host defines it in this module
        from modules.script_runner import ScriptRunner

        return ScriptRunner
    raise AttributeError(name)
