"""Reconciling: what is wrong with a library and how it is put right. Pure."""
