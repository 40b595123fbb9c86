"""The recorded images that a job names: what it is run on, and what its settings are given. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib_sdpipe.manifest.records import ImageLink
from lib_sdpipe.pipeline.records import Job


def list_links(job: Job) -> list[ImageLink]:
    """Each once. Those of requests are left out: they are a run's own."""
    found = [item.source for item in job.items if item.source is not None]
    for settings in (*(stage.settings for stage in job.stages), *(item.settings for item in job.items)):
        found += iter_links(settings)
    return list({(link.run_id, link.name): link for link in found}.values())


def iter_links(value: Any) -> Iterator[ImageLink]:
    """Every `{"$image": {"run_id", "name"}}` in a value, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            link = one.get("$image")
            if isinstance(link, dict):
                yield ImageLink(run_id=str(link.get("run_id") or ""), name=str(link.get("name") or ""))
            left += one.values()
        elif isinstance(one, list):
            left += one
