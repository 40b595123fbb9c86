"""The run and the image that are open."""
