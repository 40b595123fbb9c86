"""What the host says about its own version."""


def git_tag() -> str:
    return "sandbox"


def commit_hash() -> str:
    return "sandbox"


def is_installed(package: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(package) is not None
