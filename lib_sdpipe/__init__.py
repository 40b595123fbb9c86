"""SDPipe: the flight recorder and fsck of a Stable Diffusion WebUI's images."""

__version__ = "0.1.0"
