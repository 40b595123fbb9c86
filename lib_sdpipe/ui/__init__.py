"""The page: the accordion in txt2img and img2img, the Runs tab. `presenter` has no gradio in it."""
