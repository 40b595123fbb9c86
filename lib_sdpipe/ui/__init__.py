"""The page: the accordion in txt2img and img2img, the Runs tab with its sections. `present` and `markup` have no gradio in them."""
