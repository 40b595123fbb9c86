"""`python -m lib_sdpipe VERB`: the parser, and the door that turns every fault into an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from lib_sdpipe import __version__
from lib_sdpipe.cli.bug_report import build_bug_report
from lib_sdpipe.cli.commands import VERBS
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import is_root_argument
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.errors import DamagedIndexError, SdPipeError, UsageError

EXIT_BUG = 3
EXIT_INTERRUPTED = 130

# Ours to report, not ours to mend.
_DISK_FAULTS = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))


class _Parser(argparse.ArgumentParser):
    """Usage faults leave by the same door as all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    output = Output(is_json="--json" in argv)
    try:
        return _run_verb(argv, output)
    except SdPipeError as fault:
        output.fail(str(fault))
        return fault.exit_code
    except KeyboardInterrupt:
        output.note("interrupted")
        return EXIT_INTERRUPTED
    except SystemExit as end:  # --help, --version, a signal
        return end.code if isinstance(end.code, int) else 0
    except Exception as fault:
        return _handle_fault(fault, output)


def _run_verb(argv: Sequence[str], output: Output) -> int:
    arguments = _parse(argv)
    try:
        code: int = arguments.run(arguments, output)
    except DamagedIndexError as fault:  # nothing was said yet: a verb answers when it has everything
        output.note(f"sdpipe: {fault}")
        code = arguments.run(arguments, output)
    output.flush()
    return code


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    """Image roots (`NAME=DIR`) may stand anywhere after the verb."""
    parser = _build_parser()
    arguments, rest = parser.parse_known_args(argv)
    arguments.roots = [text for text in rest if is_root_argument(text)]
    unknown = [text for text in rest if not is_root_argument(text)]
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return arguments


def _handle_fault(fault: Exception, output: Output) -> int:
    """The one broad except of the command line ends here."""
    if isinstance(fault, OSError) and _is_closed_pipe(fault):
        output.abandon()  # `| head` has seen enough: nothing went wrong
        return 0
    if os.environ.get("SDPIPE_DEBUG") == "1":
        output.note(traceback.format_exc())
    if isinstance(fault, OSError) and fault.errno in _DISK_FAULTS:
        output.abandon()
        output.note(f"sdpipe: {fault}")
    else:
        output.fail(build_bug_report(fault))
    return EXIT_BUG


def _is_closed_pipe(fault: OSError) -> bool:
    # Windows reports a closed pipe as EINVAL.
    return isinstance(fault, BrokenPipeError) or (os.name == "nt" and fault.errno == errno.EINVAL)


def _build_parser() -> argparse.ArgumentParser:
    what = "The flight recorder and fsck of a Stable Diffusion WebUI's images."
    parser = _Parser(prog=program_name(), description=what, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"sdpipe {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb in VERBS:
        sentence = f"{verb.SUMMARY[0].upper()}{verb.SUMMARY[1:]}."
        verb_parser = verbs.add_parser(verb.NAME, help=verb.SUMMARY, description=sentence, allow_abbrev=False)
        verb_parser.add_argument("--runs", metavar="DIR", help="the runs folder (default: that of the WebUI around here, else ./runs)")
        verb_parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")
        verb.add_arguments(verb_parser)
        verb_parser.set_defaults(run=verb.run)
    return parser

