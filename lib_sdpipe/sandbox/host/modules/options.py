"""Settings: their description (`OptionInfo`) and their values (`Options`), stored in config.json."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from modules import errors
from modules.shared_cmd_options import cmd_opts


class OptionInfo:
    """One setting. The methods return the object itself, so that they can be chained where it is declared."""

    do_not_save = False

    def __init__(self, default: Any = None, label: str = "", component: Any = None, component_args: Any = None,
                 onchange: Any = None, section: Any = None, refresh: Any = None, comment_before: str = "",
                 comment_after: str = "", infotext: str | None = None, restrict_api: bool = False,
                 category_id: str | None = None) -> None:
        self.default, self.label = default, label
        self.component, self.component_args = component, component_args
        self.onchange, self.refresh = onchange, refresh
        self.section, self.category_id = section, category_id
        self.comment_before, self.comment_after = comment_before, comment_after
        self.infotext, self.restrict_api = infotext, restrict_api

    def link(self, label: str, url: str) -> OptionInfo:
        self.comment_before += f"[<a href='{url}' target='_blank'>{label}</a>]"
        return self

    def js(self, label: str, js_func: str) -> OptionInfo:
        self.comment_before += f"[<a onclick='{js_func}(); return false'>{label}</a>]"
        return self

    def info(self, info: str) -> OptionInfo:
        return self.html(f"<span class='info'>({info})</span>")

    def html(self, html: str) -> OptionInfo:
        self.comment_after += html
        return self

    def needs_restart(self) -> OptionInfo:
        return self.html(" <span class='info'>(requires restart)</span>")

    def needs_reload_ui(self) -> OptionInfo:
        return self.html(" <span class='info'>(requires Reload UI)</span>")


class OptionHTML(OptionInfo):
    """A piece of text among the settings; it has no value."""

    do_not_save = True

    def __init__(self, text: str) -> None:
        super().__init__(str(text).strip())


def options_section(section_identifier: tuple[Any, ...], options_dict: dict[str, OptionInfo]) -> dict[str, OptionInfo]:
    for info in options_dict.values():
        info.section = section_identifier[:2]
        if len(section_identifier) == 3:
            info.category_id = section_identifier[2]
    return options_dict


def _split(names: str | None) -> list[str]:
    return [x.strip() for x in (names or "").split(",")]


class Options:
    """Values by attribute or in `data`; what is not in `data` falls back to the default in `data_labels`."""

    typemap: ClassVar[dict[type, type]] = {int: float}

    def __init__(self, data_labels: dict[str, OptionInfo], restricted_opts: set[str]) -> None:
        self.__dict__["data_labels"] = data_labels
        self.__dict__["restricted_opts"] = restricted_opts
        self.__dict__["data"] = {k: v.default for k, v in data_labels.items() if not v.do_not_save}

    def __setattr__(self, key: str, value: Any) -> None:
        if key in self.__dict__ or not (key in self.data or key in self.data_labels):
            self.__dict__[key] = value
            return
        info = self.data_labels.get(key)
        if info is None or not info.do_not_save:
            self._check_changeable(key, info)
            self.data[key] = value

    def _check_changeable(self, key: str, info: OptionInfo | None) -> None:
        assert not cmd_opts.freeze_settings, "the settings are frozen"
        args = info.component_args if info else None
        if isinstance(args, dict) and args.get("visible", True) is False:
            raise RuntimeError(f"{key} cannot be set: it is hidden")
        if cmd_opts.freeze_settings_in_sections is not None and info and info.section:
            frozen = info.section[0] in _split(cmd_opts.freeze_settings_in_sections)
            assert not frozen, f"{key} cannot be set: its section is frozen"
        if cmd_opts.freeze_specific_settings is not None:
            assert key not in _split(cmd_opts.freeze_specific_settings), f"{key} cannot be set: it is frozen"
        if cmd_opts.hide_ui_dir_config and key in self.restricted_opts:
            raise RuntimeError(f"{key} cannot be set under --hide-ui-dir-config")

    def __getattr__(self, item: str) -> Any:
        if item in self.__dict__["data"]:
            return self.__dict__["data"][item]
        if item in self.__dict__["data_labels"]:
            return self.__dict__["data_labels"][item].default
        raise AttributeError(item)

    def set(self, key: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        """Set an option and call its onchange; return whether it changed. An unknown key is a KeyError."""
        old = self.data.get(key)
        if old == value:
            return False
        option = self.data_labels[key]
        if option.do_not_save or (is_api and option.restrict_api):
            return False
        try:
            setattr(self, key, value)
        except RuntimeError:
            return False
        if run_callbacks and option.onchange is not None:
            try:
                option.onchange()
            except Exception as error:
                errors.display(error, f"changing setting {key} to {value}")
                setattr(self, key, old)
                return False
        return True

    def get_default(self, key: str) -> Any:
        info = self.data_labels.get(key)
        return None if info is None else info.default

    def save(self, filename: str) -> None:
        assert not cmd_opts.freeze_settings, "the settings are frozen"
        with open(filename, "w", encoding="utf8") as file:
            json.dump(self.data, file, indent=4, ensure_ascii=False)

    def load(self, filename: str) -> None:
        """Read config.json. Without one `data` is empty: then process_images restores no overridden option."""
        try:
            with open(filename, encoding="utf8") as file:
                self.__dict__["data"] = json.load(file)
        except FileNotFoundError:
            self.__dict__["data"] = {}

    def same_type(self, x: Any, y: Any) -> bool:
        if x is None or y is None:
            return True
        return self.typemap.get(type(x), type(x)) == self.typemap.get(type(y), type(y))

    def onchange(self, key: str, func: Any, call: bool = True) -> None:
        self.data_labels[key].onchange = func
        if call:
            func()

    def add_option(self, key: str, info: OptionInfo) -> None:
        self.data_labels[key] = info
        if key not in self.data and not info.do_not_save:
            self.data[key] = info.default

    def dumpjson(self) -> str:
        return json.dumps({k: self.data.get(k, v.default) for k, v in self.data_labels.items()}, default=str)

    def cast_value(self, key: str, value: Any) -> Any:
        """Cast to the type of the setting's default, as values out of an infotext need."""
        default = self.data_labels[key].default
        default = getattr(self, key, None) if default is None else default
        if value is None or default is None:
            return None
        return False if isinstance(default, bool) and value == "False" else type(default)(value)
