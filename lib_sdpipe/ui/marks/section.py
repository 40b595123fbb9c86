"""The marks of the open image: where they stand is for the run's column to say."""

from __future__ import annotations

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.marks import markup
from lib_sdpipe.ui.marks.events import MarkEvents


def build(frame: Frame) -> None:
    """The place of the open image's marks; javascript/sdpipe_marks.js has them shown when another image is opened."""
    place, events = build_html(markup.show_no_marks(), elem_id="sdpipe_marks"), MarkEvents(frame)
    done = build_html("", elem_id="sdpipe_marked")
    frame.on_ask("marks", events.show, [place, done])
    frame.on_ask("mark", events.mark, [place, done])
