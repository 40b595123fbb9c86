"""Images made before SDPipe: which of them one press of Generate made, and the records that say so. Pure."""
