"""SDPipe's installer.

The WebUI runs this file at every start: everything SDPipe needs is part of the WebUI, so there it only looks, and says in
one line what is missing. Elsewhere, `python3 install.py VERB ...` makes an environment in .venv beside this file and runs
the verb in it. The standard library is enough, and even an old Python gets far enough to be told so.
"""

import os
import sys

MINIMUM = (3, 10)
HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
PROGRAM = "python install.py" if os.name == "nt" else "python3 install.py"
NEEDED = ("gradio", "pydantic", "PIL", "fastapi", "numpy", "orjson")

USAGE = """usage: {program} VERB ...

Makes an environment in .venv beside this file (once) and runs the verb in it:
  test [...]   SDPipe's tests; further arguments go to pytest
  demo         first runs in a miniature WebUI, no GPU needed
  serve        the Runs tab without a WebUI
  runs         the runs of a library
  VERB --help  what a verb can do

Inside a WebUI nothing has to be installed: copy this folder to extensions/ and start the WebUI."""


def main(arguments: list) -> int:
    if not arguments and is_host_start(os.getcwd(), os.environ.get("PYTHONPATH", "")):
        return check_host()
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE.format(program=PROGRAM))
        return 0
    if sys.version_info < MINIMUM:
        say("SDPipe needs Python {}.{} or newer; this is {}.{}.".format(*MINIMUM, *sys.version_info[:2]))
        return 2
    if not arguments:
        say(USAGE.format(program=PROGRAM))
        return 2
    try:
        prepare("test" if arguments[0] == "test" else "")
    except InstallFault as fault:
        say(str(fault))
        return 3
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return run_verb(arguments)


class InstallFault(Exception):
    """A sentence for the person who called."""


def say(text: str) -> None:
    """On stderr: stdout belongs to the verb."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def is_host_start(folder: str, python_path: str) -> bool:
    """Whether a WebUI runs this file: it stands in the WebUI's folder, or names it in PYTHONPATH, and gives no arguments."""
    candidates = [folder] + [entry for entry in python_path.split(os.pathsep) if entry]
    return any(
        os.path.isfile(os.path.join(place, "launch.py")) and os.path.isdir(os.path.join(place, "modules")) for place in candidates
    )


def check_host() -> int:
    """Never installs: whatever pip would change is pinned by the host. One line on stdout, which the host prints."""
    from importlib.util import find_spec

    missing = [name.replace("PIL", "Pillow") for name in NEEDED if find_spec(name) is None]
    if sys.version_info < MINIMUM:
        print("SDPipe: needs Python {}.{} or newer; runs are not recorded.".format(*MINIMUM))
    elif missing:
        print("SDPipe: this WebUI's Python lacks {}; runs are not recorded until it has it.".format(", ".join(missing)))
    return 0


def prepare(extra: str) -> None:
    """Make .venv and fill it, unless that was done for this very pyproject.toml. Raises InstallFault."""
    with open(os.path.join(HERE, "pyproject.toml"), "rb") as file:
        project = file.read()
    stamp = compute_stamp(project)
    if os.path.exists(PYTHON) and stamp in (read_stamp(extra), read_stamp("test")):
        return
    if not (os.path.exists(PYTHON) and succeeds([PYTHON, "-m", "pip", "--version"])):
        make_venv()
    packages = read_requirements(project.decode("utf-8"), extra)
    names = ", ".join(name_of(package) for package in packages)
    say("Installing {} into {} (once; takes a minute or two) ...".format(names, VENV))
    if not succeeds([PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check"] + packages, quiet=False):
        raise InstallFault("Installing failed; pip's words are above. Once that is solved, run the same line again.")
    put_on_path()
    with open(stamp_file(extra), "w") as file:
        file.write(stamp)


def compute_stamp(project: bytes) -> str:
    """What the environment depends on: the requirements and the Python that made it."""
    import hashlib

    return "{} {}.{}".format(hashlib.sha256(project).hexdigest(), *sys.version_info[:2])


def stamp_file(extra: str) -> str:
    return os.path.join(VENV, "sdpipe-{}.stamp".format(extra or "base"))


def read_stamp(extra: str) -> str:
    try:
        with open(stamp_file(extra)) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def make_venv() -> None:
    from importlib.util import find_spec

    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise InstallFault(
            "This Python cannot make environments: its venv module is missing. On Debian and Ubuntu\n"
            "    sudo apt install python3-venv\n"
            "brings it; then run the same line again. Or use another Python, 3.10 or newer."
        )
    say("Making an environment in {} (once) ...".format(VENV))
    if not succeeds([sys.executable, "-m", "venv", "--clear", VENV], quiet=False):
        raise InstallFault("Making the environment failed; the reason is above.")


def read_requirements(project: str, extra: str) -> list:
    """The requirements in pyproject.toml, which has one a line; Python 3.10 has no reader for the format."""
    import re

    found = []
    for key in ("dependencies", extra):
        block = re.search(r"(?ms)^{} = \[\n(.*?)^\]".format(re.escape(key)), project) if key else None
        found += re.findall(r'^\s*"([^"]+)",?\s*$', block.group(1), re.M) if block else []
    if not found:
        raise InstallFault("pyproject.toml lists no dependencies: this checkout is damaged.")
    return found


def name_of(requirement: str) -> str:
    import re

    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def put_on_path() -> None:
    """SDPipe itself is used from this folder, as a WebUI uses it: no build, no second copy."""
    import subprocess

    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([PYTHON, "-c", code], universal_newlines=True).strip()
    with open(os.path.join(packages, "sdpipe.pth"), "w", encoding="utf-8") as file:
        file.write(HERE + "\n")


def succeeds(command: list, quiet: bool = True) -> bool:
    import subprocess

    output = subprocess.DEVNULL if quiet else sys.stderr
    try:
        return subprocess.call(command, stdout=output, stderr=output) == 0
    except OSError:
        return False


def parallel_flags(rest: list) -> list:
    """The whole suite waits as well as it works: more processes than cores share it. One WebUI named from outside serves one only."""
    chosen = [argument for argument in rest if not argument.startswith("-")]
    return [] if chosen or os.environ.get("SDPIPE_WEBUI") else ["-n", str(processes()), "--dist", "loadfile"]


def processes() -> int:
    return min((os.cpu_count() or 1) + 2, 8)


def run_verb(arguments: list) -> int:
    """The verb in our environment; it takes this process's place where the system can do that."""
    verb, rest = arguments[0], arguments[1:]
    command = [PYTHON, "-m", "pytest"] + parallel_flags(rest) + rest if verb == "test" else [PYTHON, "-m", "lib_sdpipe"] + arguments
    os.environ["SDPIPE_PROGRAM"] = PROGRAM
    if verb == "test":
        os.chdir(HERE)
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess

    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the console sent Ctrl-C to the verb too; its exit code is the answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
