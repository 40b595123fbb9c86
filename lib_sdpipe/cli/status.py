"""How a run's status looks on a terminal that has colours; the word is always there too."""

from __future__ import annotations

from lib_sdpipe.cli.output import Output

_COLOURS = {
    "completed": "green", "running": "cyan", "interrupted": "yellow", "abandoned": "yellow", "failed": "red", "unreadable": "red",
}


def paint_status(text: str, output: Output) -> str:
    """`text` (a status, perhaps with blanks around it) in the colour of that status."""
    colour = _COLOURS.get(text.strip())
    return output.paint(text, colour) if colour else text
