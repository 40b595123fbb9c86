"""Comparing images and runs: one section of the Runs tab."""
