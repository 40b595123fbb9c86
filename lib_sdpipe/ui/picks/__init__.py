"""The bar at the foot of the tab, about all images that are picked."""
