"""Operations of the Extras tab. The sandbox has one of its own (Upscale) and runs those of extensions after it."""

from __future__ import annotations

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
        return "".join(f"-{x}" for x in self.nametags)


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

    def scripts_in_preferred_order(self) -> list[Any]:
        from modules import scripts, shared

        if self.scripts is None:
            self.initialize_scripts(scripts.postprocessing_scripts_data)
        first = shared.opts.postprocessing_operation_order
        place = {name: i - len(first) for i, name in enumerate(first)}
        return sorted(self.scripts or [], key=lambda x: (place.get(x.name, 0), x.order, x.name))

    def setup_ui(self) -> list[Any]:
        inputs: list[Any] = []
        for script in self.scripts_in_preferred_order():
            script.args_from = len(inputs)
            script.controls = script.ui()
            inputs += list(script.controls.values())
            script.args_to = len(inputs)
        self.ui_created = True
        return inputs

    def run(self, pp: PostprocessedImage, args: list[Any]) -> None:
        """First passes of all, then all of them in order; an exception ends the job, unlike in Script hooks."""
        found = [(x, dict(zip(x.controls, args[x.args_from:x.args_to], strict=False)))
                 for x in self.scripts_in_preferred_order() if x.controls is not None]
        for script, values in found:
            script.process_firstpass(pp, **values)
        for script, values in found:
            script.process(pp, **values)

    def create_args_for_run(self, scripts_args: dict[str, dict[str, Any]]) -> list[Any]:
        """Arguments by script and control name; whatever is not named is None."""
        import gradio as gr

        if not self.ui_created:
            with gr.Blocks(analytics_enabled=False):
                self.setup_ui()
        res: list[Any] = []
        for script in self.scripts_in_preferred_order():
            given = scripts_args.get(script.name) or {}
            res += [given.get(name) for name in script.controls or {}]
        return res

    def image_changed(self) -> None:
        for script in self.scripts_in_preferred_order():
            try:
                script.image_changed()
            except Exception:
                errors.report(f"Error running image_changed: {script.filename}", exc_info=True)
