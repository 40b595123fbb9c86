"""Image bytes: their text, their digests, their encoding as inputs."""
