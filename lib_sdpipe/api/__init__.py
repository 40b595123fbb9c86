"""The HTTP API under /sdpipe/v1: what the command line tells and does, as routes of the host's server, behind its login."""
