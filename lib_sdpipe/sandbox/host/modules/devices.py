"""No device: the sandbox computes with numpy."""

device = "cpu"
cpu = "cpu"


def torch_gc() -> None:
    pass
