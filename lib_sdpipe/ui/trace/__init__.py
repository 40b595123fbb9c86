"""The Trace section: any picture, and which recorded image it is."""
