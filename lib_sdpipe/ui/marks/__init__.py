"""Marks: what a person thinks of images, shown under the open image and changed at once."""
