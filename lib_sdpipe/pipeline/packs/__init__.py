"""Prompt packs: rows of prompts, and a matrix of values for the words that vary in them. Pure; `store/recipes.py` has the files."""
