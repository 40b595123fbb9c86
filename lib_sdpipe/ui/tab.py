"""The Runs tab: its head, and a section for each thing that people do there."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_sdpipe.ui.actions import section as actions
from lib_sdpipe.ui.actions.markup import show_picked_actions
from lib_sdpipe.ui.background import Background
from lib_sdpipe.ui.bin import section as bin_section
from lib_sdpipe.ui.browse import section as browse
from lib_sdpipe.ui.compare import section as compare
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_section
from lib_sdpipe.ui.host import TabHost
from lib_sdpipe.ui.picks import section as picks
from lib_sdpipe.ui.pipelines import section as pipelines
from lib_sdpipe.ui.pipelines.buttons import show_picked_button
from lib_sdpipe.ui.repair import section as repair
from lib_sdpipe.ui.statistics import section as statistics
from lib_sdpipe.ui.trace import section as trace

__all__ = ["TabHost", "build_tab"]

# (id, label, what builds it), in the order on the page.
_SECTIONS = (
    ("browse", "Browse", browse.build),
    ("compare", "Compare", compare.build),
    ("trace", "Trace", trace.build),
    ("repair", "Repair", repair.build),
    ("pipelines", "Pipelines", pipelines.build),
    ("statistics", "Statistics", statistics.build),
    ("bin", "Bin", bin_section.build),
)


def build_tab(host: TabHost, hides_folders: bool = False, background: Background | None = None) -> Any:
    """The tab's Blocks. It reads nothing before it is looked at. `hides_folders`, `background`: as `Frame` has them."""
    with gr.Blocks(analytics_enabled=False) as tab, gr.Column(elem_id="sdpipe_tab"):
        frame = Frame(host, hides_folders, background)
        actions.build(frame)
        with gr.Tabs(elem_id="sdpipe_sections"):
            for name, label, build in _SECTIONS:
                with build_section(label, elem_id=f"sdpipe_section_{name}"):
                    build(frame)
        picks.build(show_picked_button() + show_picked_actions())
    for component in tab.blocks.values():
        # What is shown is the library's, or a setting: a value stored in the host's ui-config.json would mask it.
        component.do_not_save_to_config = True
    return tab
