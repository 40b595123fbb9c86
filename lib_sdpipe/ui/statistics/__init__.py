"""The Statistics section: what was made when, with what, how long it took, and the room it takes."""
