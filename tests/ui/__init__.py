"""The page: what the Runs tab says, and its handlers on the gradio at hand."""
