"""A job's life on the generating thread, as a pure state machine: events in, log lines out. No disk, no clock.

A line is JSON. The same lines, read back from the recording log of a killed process, finish its records.
"""

from __future__ import annotations

from dataclasses import asdict
from lib_sdpipe.manifest.names import build_manifest_name
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.record.facts import DetailerPass, ImageValues, JobKey, Json, PassFacts, RunOptions, RunRequest
from lib_sdpipe.record.passes import Pass, Slot


class Job:
    """One run while it is open."""

    def __init__(self, key: JobKey, run_id: str, options: RunOptions, stage: str) -> None:
        self.key = key
        self.stage = stage
        self.run_id = run_id
        self.options = options
        self.passes: list[Pass] = []
        self._numbers: dict[str, int] = {}
        self._saved = 0
        self._interrupted = False
        self._error: Json | None = None

    def run_line(self, request: RunRequest, job_id: str, label: str, process: Json, now: float, has_folder: bool) -> Json:
        """The promise of a run file."""
        started = format_utc(now)
        run = {
            "run_id": self.run_id, "job_id": job_id, "label": label, "status": "running", "process": process,
            "timestamp": started, "started_at": started, "source": request.source, "user": request.user,
            "config": request.config,
        }
        return {
            "kind": "run", "run_id": self.run_id, "run": run, "options": asdict(self.options),
            "not_replayable": list(request.not_replayable), "has_folder": has_folder,
        }

    def start_pass(self, facts: PassFacts) -> Pass:
        outer = Pass(len(self.passes), facts, planned=facts.planned)
        self.passes.append(outer)
        return outer

    def pass_line(self, outer: Pass, number: int, parent_picture: str, parent_infotext: str | None) -> Json:
        """What a pass was made from: input picture `number`, from 0, travels beside the line under the given key."""
        outer.inputs = max(outer.inputs, number + 1)
        return {
            "kind": "pass", "run_id": self.run_id, "pass": outer.number, "input": number,
            "parent_picture": parent_picture, "parent_infotext": parent_infotext,
        }

    def image_line(self, outer: Pass, role: str, slot: Slot, image: ImageValues, now: float) -> Json:
        """The promise of one manifest, named and complete but for what only the file can tell."""
        details = outer.details.get(slot, [])
        stage = self._stage_of(outer, role, bool(details))
        name = self._next_name(stage)
        outer.names[(slot, role)] = name
        manifest = {
            **image.values,
            "name": name, "run_id": self.run_id, "stage": stage,
            "role": "final" if role == "grid" else role,
            "timestamp": format_utc(now),
            "config": self._settings(outer, stage, details),
            "requested_seed": outer.facts.requested_seed,
            "batch": {
                "index": None if role == "grid" else slot[1], "size": image.batch_size,
                "iteration": None if role == "grid" else slot[0], "count": image.batch_count,
            },
            "stage_history": self._history(outer, role, slot, details, image.values),
            "stage_duration_ms": self._duration_ms(outer, role, stage, details),
        }
        if role == "grid":
            manifest["members"] = outer.grid_members
            outer.grid_members = None
        return {
            "kind": "image", "run_id": self.run_id, "name": name, "pass": outer.number, "input": outer.input_of(slot),
            "manifest": manifest,
        }

    def count_saved(self) -> None:
        """A final image was written to a file."""
        self._saved += 1

    def end_pass(self, outer: Pass, interrupted: bool, error: Json | None) -> None:
        self._interrupted = self._interrupted or interrupted
        self._error = self._error or error

    def end_line(self, now: float) -> Json:
        """How the run ended."""
        if not self.passes:
            self._error = {"stage": self.stage, "type": None, "message": "the host ended the job before its first pass began"}
        status = "failed" if self._error else "interrupted" if self._interrupted else "completed"
        images = {
            "planned": sum(outer.planned for outer in self.passes),
            "returned": sum(outer.returned for outer in self.passes),
            "saved": self._saved,
        }
        end = {"status": status, "finished_at": format_utc(now), "images": images, "error": self._error, "process": None}
        return {"kind": "end", "run_id": self.run_id, "run": end}

    def _next_name(self, stage: str) -> str:
        self._numbers[stage] = self._numbers.get(stage, 0) + 1
        return build_manifest_name(stage, self._numbers[stage])

    def _stage_of(self, outer: Pass, role: str, detailed: bool) -> str:
        if role == "grid":
            return "grid"
        return "adetailer" if detailed and role == "final" else outer.facts.stage

    def _settings(self, outer: Pass, stage: str, details: list[DetailerPass]) -> Json:
        settings = details[-1].settings if stage == "adetailer" else outer.facts.settings
        return {**settings, "incomplete": outer.incomplete} if outer.incomplete else settings

    def _duration_ms(self, outer: Pass, role: str, stage: str, details: list[DetailerPass]) -> int | None:
        if stage == "adetailer":
            return sum(detail.duration_ms for detail in details)
        return outer.image_ms if role == "final" else None

    def _history(self, outer: Pass, role: str, slot: Slot, details: list[DetailerPass], values: Json) -> list[Json]:
        """Earlier stages of this image inside this pass: the pass before hires fix, the picture before ADetailer."""
        history: list[Json] = []
        if role in ("grid", "before-highres-fix"):
            return history
        seeds = {key: values.get(key) for key in ("actual_seed", "actual_subseed")}
        seeds["requested_seed"] = outer.facts.requested_seed
        if outer.facts.first_pass is not None:
            history.append(self._entry(outer, slot, "before-highres-fix", outer.facts.first_pass, None, seeds))
        if details and role == "final":
            history.append(self._entry(outer, slot, "before-adetailer", outer.facts.settings, outer.image_ms, seeds))
        return history

    def _entry(self, outer: Pass, slot: Slot, role: str, settings: Json, duration_ms: int | None, seeds: Json) -> Json:
        return {
            "stage": outer.facts.stage, "role": role, "run_id": self.run_id, "name": outer.names.get((slot, role)),
            "settings": settings, "duration_ms": duration_ms, **seeds,
        }
