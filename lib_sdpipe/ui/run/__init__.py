"""The run and the image that are open: its lineage as a picture, its images, and what is known of each of them."""
