"""`python -m lib_sdpipe.sandbox`: serve the sandbox until Ctrl+C. Other flags (`--api-auth u:p` ...) go to the host."""

from __future__ import annotations

import argparse
import sys
import time

from lib_sdpipe.sandbox.launch import SandboxError, start_sandbox


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib_sdpipe.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--data-dir", default="sandbox-data", help="where settings, models and outputs go")
    parser.add_argument("--extension", action="append", default=[], metavar="[NAME=]PATH", help="may be repeated")
    parser.add_argument("--no-adetailer", action="store_true", help="leave out the pretend ADetailer")
    parser.add_argument("--step-ms", type=float, default=40, help="how long one sampling step takes")
    parser.add_argument("--host-flavour", choices=("a1111", "forge"), default="a1111")
    parser.add_argument("--nowebui", action="store_true", help="the API alone, without a page")
    args, host_flags = parser.parse_known_args(argv)
    try:
        sandbox = start_sandbox(args.data_dir, args.extension, port=args.port, page=not args.nowebui,
                                adetailer=not args.no_adetailer, step_ms=args.step_ms, flavour=args.host_flavour,
                                argv=host_flags)
    except SandboxError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(f"Sandbox on {sandbox.url} (Ctrl+C stops it)")  # noqa: T201
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        sandbox.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
