"""The part of a WebUI's `modules` package that extensions use, for the sandbox.

Names, signatures and orders follow AUTOMATIC1111 v1.10.1 (and Forge where `cmd_opts.sandbox_flavour` says so), because
extensions import them by these names; the code is our own. Where a real host differs, this package is wrong.
"""

IS_SANDBOX = True
