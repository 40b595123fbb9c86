"""The open run in the Browse section: its lineage as a picture, its images, and what is known of each of them."""
