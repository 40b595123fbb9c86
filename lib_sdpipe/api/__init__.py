"""The HTTP API under /sdpipe/v1: what the command line tells and does, as routes of the host's own server, behind its own login."""
