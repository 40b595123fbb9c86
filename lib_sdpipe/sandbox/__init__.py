"""A miniature WebUI for demos, tests and contributors without a GPU.

It loads extensions, fires their hooks and saves files as the hosts do, with a small renderer in place of the diffusion
model, and says so wherever it shows. Where the sandbox and a real host differ, the sandbox is wrong.
"""
