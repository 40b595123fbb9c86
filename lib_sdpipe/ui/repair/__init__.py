"""The Repair section: what does not fit, what would be done about it, and the way back."""
