"""The host's options over a pass of ours: what it overrides is put back, also where the host would leave it."""

from __future__ import annotations

import copy
from typing import Any, Iterable

from modules import shared

_CHECKPOINT, _DIGEST = "sd_model_checkpoint", "sd_checkpoint_hash"


class KeptOptions:
    """The hosts put back only options that are in their data, which without a config.json are none.

    What is about to be overridden is given its default there first: then the host puts it back itself, with the reloading
    that belongs to it, and we take it out again. A checkpoint is loaded again by the host's next job, not now.
    """

    def __init__(self) -> None:
        self._added: dict[str, Any] = {}
        self._checkpoint = shared.opts.data.get(_CHECKPOINT)
        self._digest = {name: value for name, value in shared.opts.data.items() if name == _DIGEST}

    def cover(self, names: Iterable[str]) -> None:
        """These are going to be overridden."""
        data = shared.opts.data
        for name in names:
            if name in shared.opts.data_labels and name not in data:
                data[name] = self._added[name] = copy.deepcopy(shared.opts.data_labels[name].default)

    def put_back(self) -> None:
        data = shared.opts.data
        for name, default in self._added.items():
            if data.get(name) == default:  # else somebody has set it meanwhile
                data.pop(name, None)
        # The digest goes with the checkpoint, and the hosts put back only that.
        if data.get(_CHECKPOINT) == self._checkpoint:
            data.pop(_DIGEST, None)
            data.update(self._digest)
