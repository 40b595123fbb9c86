"""What the server keeps of one page and one section. Two asks at once are answered one after the other, each with what the other left."""

from __future__ import annotations

import threading
from typing import Any


class PageState:
    """The value of a `gr.State`, the same object for as long as its page is there.

    gradio reads a state when an event comes and writes it when the event is answered: of two on their way together the later
    answer would undo what the earlier one did. So gradio carries this, and whoever answers reads and writes `value` with the lock held.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: Any) -> PageState:
        """gradio makes one for each page from the first; values are frozen."""
        return PageState(self.value)

    def take(self, update: Any) -> PageState:
        """An update of the state, for which gradio is handed this; `gr.update()` leaves it as it is."""
        if not isinstance(update, dict):
            self.value = update
        return self
