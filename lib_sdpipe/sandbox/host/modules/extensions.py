"""The extensions of this start, their metadata.ini and the order they ask for."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from modules import errors, shared


@dataclass
class CallbackOrderInfo:
    name: str
    before: list[str]
    after: list[str]


class ExtensionMetadata:
    filename = "metadata.ini"

    def __init__(self, path: str, canonical_name: str) -> None:
        self.config = configparser.ConfigParser()
        self.canonical_name = canonical_name.lower().strip()  # the host ignores `[Extension] Name` as well
        self.requires: list[str] = []
        try:
            self.config.read(os.path.join(path, self.filename))
        except configparser.Error:
            errors.report(f"Error reading {self.filename} of {canonical_name}", exc_info=True)

    def parse_list(self, text: str | None) -> list[str]:
        return [x for x in re.split(r"[,\s]+", (text or "").strip()) if x]

    def get_script_requirements(self, field: str, section: str, extra_section: str | None = None) -> list[str]:
        sections = [section] + ([extra_section] if extra_section else [])
        names = self.parse_list(", ".join(self.config.get(x, field, fallback="") for x in sections).lower())
        return [next((x for x in name.split("|") if x in loaded_extensions), name) for name in names]

    def list_callback_order_instructions(self) -> Iterator[CallbackOrderInfo]:
        for section in self.config.sections():
            if not section.startswith("callbacks/"):
                continue
            name = section[len("callbacks/"):]
            if not name.startswith(self.canonical_name):
                errors.report(f"Callback order of {self.canonical_name} names another extension: {section}")
                continue
            before, after = (self.parse_list(self.config.get(section, x, fallback="")) for x in ("Before", "After"))
            yield CallbackOrderInfo(name, before, after)


class Extension:
    def __init__(self, name: str, path: str, enabled: bool = True, is_builtin: bool = False,
                 metadata: ExtensionMetadata | None = None) -> None:
        self.name, self.path, self.enabled, self.is_builtin = name, path, enabled, is_builtin
        self.metadata = metadata or ExtensionMetadata(path, name)
        self.canonical_name = self.metadata.canonical_name
        self.status = self.commit_hash = self.version = ""
        self.commit_date: int | None = None
        self.branch: str | None = None
        self.remote: str | None = None
        self.have_info_from_repo = False

    def read_info_from_repo(self) -> None:
        """Ask git, as the host does; a folder that is no repository leaves the fields empty."""
        if self.is_builtin or self.have_info_from_repo:
            return
        self.have_info_from_repo = True
        if os.path.exists(os.path.join(self.path, ".git")):
            self.commit_hash = self._git("rev-parse", "HEAD")
            self.version = self.commit_hash[:8]
            self.branch = self._git("branch", "--show-current") or None
            self.remote = self._git("remote", "get-url", "origin") or None
            date = self._git("log", "-1", "--format=%ct")
            self.commit_date = int(date) if date else None

    def _git(self, *args: str) -> str:
        try:
            done = subprocess.run(["git", "-C", self.path, *args], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    def list_files(self, subdir: str, extension: str) -> list[str]:
        folder = os.path.join(self.path, subdir)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return [os.path.join(folder, x) for x in names if os.path.splitext(x)[1].lower() == extension]


extensions: list[Extension] = []
extension_paths: dict[str, Extension] = {}
loaded_extensions: dict[str, Extension] = {}
configured: list[tuple[str, str]] = []
"""What the launcher was given: (name of the folder it stands for, path)."""


def active() -> list[Extension]:
    off = shared.opts.disable_all_extensions
    if shared.cmd_opts.disable_all_extensions or off == "all":
        return []
    only_builtin = shared.cmd_opts.disable_extra_extensions or off == "extra"
    return [x for x in extensions if x.enabled and (x.is_builtin or not only_builtin)]


def list_extensions() -> None:
    """Builtin ones first, then those of the user, each in the order of their folders' names."""
    from modules import paths

    extensions.clear()
    extension_paths.clear()
    loaded_extensions.clear()
    folder = paths.extensions_dir
    installed = [(x, os.path.join(folder, x)) for x in os.listdir(folder)] if os.path.isdir(folder) else []
    for name, path in sorted(installed + configured):
        if not os.path.isdir(path) or name in loaded_extensions:
            continue
        extension = Extension(name, path, enabled=name not in shared.opts.disabled_extensions)
        extensions.append(extension)
        extension_paths[path] = loaded_extensions[name] = extension
    for extension in extensions:
        extension.metadata.requires = extension.metadata.get_script_requirements("Requires", "Extension")
        for name in extension.metadata.requires if extension.enabled else ():
            if name not in loaded_extensions:
                errors.report(f'Extension "{extension.name}" requires "{name}" which is not installed.')


def find_extension(filename: str) -> Extension | None:
    """The extension that a file lies in, by its real path."""
    folder = os.path.dirname(os.path.realpath(filename))
    while folder not in extension_paths and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return extension_paths.get(folder)
