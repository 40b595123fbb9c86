"""The Browse section: runs and images, newest first, and the one that is open."""
