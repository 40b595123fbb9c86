"""A pass that the pipeline has asked the host for, as the hooks need to know it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib_sdpipe.hosts.kept_options import KeptOptions
from lib_sdpipe.record.facts import Json


@dataclass
class OwnPass:
    """`config` is its request, `first` the number of passes that its run had before. `is_skipped`: a batch of it was."""

    config: Json
    first: int
    options: KeptOptions = field(default_factory=KeptOptions)
    is_skipped: bool = False
