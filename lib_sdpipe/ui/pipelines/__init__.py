"""The Pipelines section: the queue, chains of stages, and the same image made again."""
