"""`import launch`, as extensions' install.py and version checks do it."""

from modules.launch_utils import commit_hash, git_tag, is_installed  # noqa: F401
