"""On the path only when the sandbox plays Forge."""
