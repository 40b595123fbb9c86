"""The Settings section "Runs", and what it says now. Reading works before the options are registered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from modules import paths, shared

from lib_sdpipe.record.facts import RunOptions

_SECTION = ("sdpipe", "Runs")
SOURCES = {"Browser": "ui", "API": "api"}

# key: (default, label, explanation, component, component arguments)
_OPTIONS: dict[str, tuple[Any, str, str, str, dict[str, Any]]] = {
    "sdpipe_paused": (False, "Pause recording", "no runs are recorded while this is on", "", {}),
    "sdpipe_runs_folder": ("", "Runs folder", "empty: the folder runs in the WebUI's data path", "Textbox", {}),
    "sdpipe_cache_folder": (
        "", "Folder for what can be derived", "index, thumbnails, locks; empty: .sdpipe in the runs folder, or the user's cache"
        " folder where the runs are on a network drive", "Textbox", {},
    ),
    "sdpipe_record": (True, "Record this run: default", "for the checkbox, and for API calls that do not say", "", {}),
    "sdpipe_record_sources": (list(SOURCES), "Record runs that come from", "", "CheckboxGroup", {"choices": list(SOURCES)}),
    "sdpipe_record_environment": (True, "Record the environment", "host, versions, extensions and options, once per content", "", {}),
    "sdpipe_record_prompts": (
        True, "Record prompts", "off: prompts, styles, infotext and typed script arguments are null; such a run cannot be made again",
        "", {},
    ),
    "sdpipe_write_run_id": (True, "Write Run ID into the image: default", "one short key in the infotext", "", {}),
    "sdpipe_keep_images": (False, "Keep images in the run folder: default", "a hard link where the file system can, else a copy", "", {}),
    "sdpipe_keep_stages": (False, "Keep intermediate stages: default", "the pictures before hires fix and before ADetailer", "", {}),
    "sdpipe_keep_inputs": (True, "Keep input pictures: default", "img2img sources and masks, once per content", "", {}),
    "sdpipe_label": ("", "Label: default", "the last part of the run id; empty: the first stage's name", "Textbox", {}),
    "sdpipe_then": (
        "", "Then: default", "the name of the recipe that the accordion begins with; empty: none. API calls say it for themselves",
        "Textbox", {},
    ),
    "sdpipe_own_runs": (
        False, "Each user sees own runs", "with --gradio-auth; runs that nobody was logged in for are everybody's; repairs are for the"
        " command line and --api-auth", "", {},
    ),
}


def register_settings() -> None:
    """Add the section; called inside on_ui_settings."""
    import gradio

    for key, (default, label, info, component, arguments) in _OPTIONS.items():
        is_folder = key.endswith("_folder")
        if is_folder and hides_folders():
            arguments = {**arguments, "visible": False}
        kind = getattr(gradio, component) if component else None
        option = shared.OptionInfo(default, label, kind, arguments or None, section=_SECTION, restrict_api=is_folder)
        shared.opts.add_option(key, option.info(info) if info else option)


def read_setting(key: str) -> Any:
    """The value now, of the right kind: config.json may hold anything."""
    default = _OPTIONS[key][0]
    value = getattr(shared.opts, "data", {}).get(key, default)
    return value if isinstance(value, type(default)) else default


def is_paused() -> bool:
    return bool(read_setting("sdpipe_paused"))


def set_paused(paused: bool) -> str | None:
    """Switch recording; the reason as a sentence where the host's settings are frozen."""
    try:
        shared.opts.set("sdpipe_paused", paused)
        shared.opts.save(shared.config_filename)
    except (AssertionError, RuntimeError, OSError) as fault:
        return f"The setting could not be saved: {fault or 'settings are frozen by a command line flag'}"
    return None if is_paused() == paused else "The setting could not be changed: the host does not allow it."


def records_source(source: str) -> bool:
    return any(SOURCES.get(name) == source for name in read_setting("sdpipe_record_sources"))


def records_environment() -> bool:
    return bool(read_setting("sdpipe_record_environment"))


def default_options() -> RunOptions:
    """The choices for a run that does not say otherwise."""
    return RunOptions(
        record=read_setting("sdpipe_record"),
        write_run_id=read_setting("sdpipe_write_run_id"),
        keep_images=read_setting("sdpipe_keep_images"),
        keep_stages=read_setting("sdpipe_keep_stages"),
        keep_inputs=read_setting("sdpipe_keep_inputs"),
        label=read_setting("sdpipe_label"),
        prompts=read_setting("sdpipe_record_prompts"),
    )


def default_then() -> str:
    """The recipe that the accordion begins with; empty for none. A program says for itself what is to come."""
    return str(read_setting("sdpipe_then")).strip()


def runs_folder() -> Path:
    """The runs folder, absolute; a relative setting is below the data path."""
    return Path(os.path.abspath(os.path.join(paths.data_path, read_setting("sdpipe_runs_folder").strip() or "runs")))


def cache_folder() -> Path | None:
    setting = read_setting("sdpipe_cache_folder").strip()
    return Path(os.path.abspath(os.path.join(paths.data_path, setting))) if setting else None


def shows_own_runs_only() -> bool:
    """Whether whoever is logged in at the page is shown own runs only."""
    return bool(read_setting("sdpipe_own_runs"))


def hides_folders() -> bool:
    """`--hide-ui-dir-config`: visitors are to see and choose no folders."""
    return bool(getattr(shared.cmd_opts, "hide_ui_dir_config", False))
