"""The Runs tab and the API without a WebUI: what `serve` starts. The composition root there, as scripts/sdpipe.py is in a WebUI."""
