"""Operations of the Extras tab: the host's own (Upscale) and those of extensions."""

from __future__ import annotations

import os
from typing import Any

from modules import errors


class PostprocessedImageSharedInfo:
    target_width: int | None = None
    target_height: int | None = None


class PostprocessedImage:
    def __init__(self, image: Any) -> None:
        self.image = image
        self.info: dict[str, Any] = {}
        self.shared = PostprocessedImageSharedInfo()
        self.extra_images: list[Any] = []
        self.nametags: list[str] = []
        self.disable_processing = False
        self.caption: str | None = None

    def get_suffix(self, used_suffixes: dict[str, int] | None = None) -> str:
        """The name tags; with a number where another picture of the same source has them already."""
        used = {} if used_suffixes is None else used_suffixes
        suffix = "".join(f"-{x}" for x in self.nametags)
        free = next((x for x in (suffix, *(f"{suffix}-{i}" for i in range(1, 100))) if x not in used), suffix)
        used[free] = 1
        return free

    def create_copy(self, new_image: Any, *, nametags: list[str] | None = None,
                    disable_processing: bool = False) -> PostprocessedImage:
        pp = PostprocessedImage(new_image)
        pp.shared, pp.disable_processing = self.shared, disable_processing
        pp.nametags, pp.info = self.nametags + (nametags or []), self.info.copy()
        return pp


class ScriptPostprocessing:
    """`ui()` returns a dict of name to component; without one A1111 v1.10.1 does not start, and neither do we."""

    filename: str | None = None
    controls: dict[str, Any] | None = None
    args_from: int | None = None
    args_to: int | None = None
    order: int = 1000
    name: str | None = None
    group: Any = None

    def ui(self) -> Any:
        pass

    def process(self, pp: PostprocessedImage, **args: Any) -> None:
        pass

    def process_firstpass(self, pp: PostprocessedImage, **args: Any) -> None:
        pass

    def image_changed(self) -> None:
        pass


class ScriptPostprocessingRunner:
    def __init__(self) -> None:
        self.scripts: list[Any] | None = None
        self.ui_created = False

    def initialize_scripts(self, scripts_data: list[Any]) -> None:
        self.scripts = []
        for data in scripts_data:
            script = data.script_class()
            script.filename = data.path
            if script.name != "Simple Upscale":
                self.scripts.append(script)

    def create_script_ui(self, script: Any, inputs: list[Any]) -> None:
        script.args_from = script.args_to = len(inputs)
        try:
            script.controls = script.ui()
        except Exception as error:
            script.controls = None
            errors.display(error, f"calling {script.filename}/ui")
        for control in script.controls.values():
            control.custom_script_source = os.path.basename(script.filename)
        inputs += script.controls.values()
        script.args_to = len(inputs)

    def scripts_in_preferred_order(self) -> list[Any]:
        from modules import scripts, shared

        if self.scripts is None:
            self.initialize_scripts(scripts.postprocessing_scripts_data)
        first = list(shared.opts.postprocessing_operation_order)
        wanted = [x for x in self.scripts or [] if x.name not in shared.opts.postprocessing_disable_in_extras]
        return sorted(wanted, key=lambda x: (first.index(x.name) if x.name in first else len(wanted), x.order, x.name))

    def setup_ui(self) -> list[Any]:
        import gradio as gr

        inputs: list[Any] = []
        for script in self.scripts_in_preferred_order():
            with gr.Row() as script.group:
                self.create_script_ui(script, inputs)
        self.ui_created = True
        return inputs

    def run(self, pp: PostprocessedImage, args: Any) -> None:
        """First passes of all, then each over all pictures so far; an exception ends the job, unlike in Script hooks."""
        from modules.shared import state

        found = [(x, dict(zip(x.controls, args[x.args_from:x.args_to], strict=False)))
                 for x in self.scripts_in_preferred_order()]
        for script, values in found:
            script.process_firstpass(pp, **values)
        all_images = [pp]
        for script, values in found:
            if state.skipped:
                break
            state.job = script.name
            for single in all_images.copy():
                if not single.disable_processing:
                    script.process(single, **values)
                all_images += [x if isinstance(x, PostprocessedImage) else single.create_copy(x)
                               for x in single.extra_images]
                single.extra_images.clear()
        pp.extra_images = all_images[1:]

    def create_args_for_run(self, scripts_args: dict[str, dict[str, Any]]) -> list[Any]:
        """Arguments by script and control name; whatever is not named is None."""
        import gradio as gr

        if not self.ui_created:
            with gr.Blocks(analytics_enabled=False):
                self.setup_ui()
        return [(scripts_args.get(script.name) or {}).get(name)
                for script in self.scripts_in_preferred_order() for name in script.controls]

    def image_changed(self) -> None:
        for script in self.scripts_in_preferred_order():
            script.image_changed()
