"""The Bin section: what is to be thrown away, what was, and the way back."""
