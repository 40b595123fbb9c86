"""A job's life on the generating thread, as a pure state machine: events in, log lines out. No disk, no clock.

A line is JSON. The same lines, read back from the recording log of a killed process, finish its records.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from lib_sdpipe.manifest.names import build_manifest_name
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pipeline.records import Stage
from lib_sdpipe.record.facts import Claim, DetailerPass, ImageValues, JobKey, Json, PassFacts, PassStep, RunOptions, RunRequest
from lib_sdpipe.record.passes import Pass, Slot
from lib_sdpipe.record.tiles import Tile

# The pass number under which the request's own input picture is looked up, where a script makes its passes from it.
REQUEST_PASS = -1
# What a picture of many says is said of the first of them, as the host's own text of it does.
_SHARED = ("model", "model_hash", "vae", "vae_hash", "loras", "embeddings", "subseed_strength", "refiner", "hires", "adetailer")


class Job:
    """One run while it is open. `folders` are those its pass saves to, absolute; `config` is what was asked.

    Of a run of the pipeline `step` says what the next pass is for, and `planned` how many images all of it will have. `then`
    are the stages that each pass of any other goes on with.
    """

    def __init__(self, key: JobKey, run_id: str, options: RunOptions, stage: str, has_script: bool = False) -> None:
        self.key = key
        self.stage = stage
        self.run_id = run_id
        self.options = options
        self.has_script = has_script
        self.folders: tuple[str, ...] = ()
        self.config: Json = {}
        self.step: PassStep | None = None
        self.planned: int | None = None
        self.then: tuple[Stage, ...] = ()
        self.passes: list[Pass] = []
        self.tiles: list[Tile] = []
        self._numbers: dict[str, int] = {}
        self._saved = 0
        self._returned_before = 0
        self._put_together = 0
        self._tiles_used = 0
        self._to_come = 0
        self._interrupted = False
        self._error: Json | None = None
        self._models: list[Json] = []
        self._warnings: list[str] = []
        self._made: dict[str, Json] = {}
        self._latest = 0.0

    def run_line(self, request: RunRequest, job_id: str, label: str, process: Json, now: float, has_folder: bool) -> Json:
        """The promise of a run file."""
        self.config = request.config
        started = self._time(now)
        run = {
            "run_id": self.run_id, "job_id": job_id, "label": label, "status": "running", "process": process,
            "timestamp": started, "started_at": started, "source": request.source, "user": request.user,
            "config": request.config,
        }
        return {
            "kind": "run", "run_id": self.run_id, "run": run, "options": asdict(replace(self.options, then="")),
            "not_replayable": list(request.not_replayable), "has_folder": has_folder,
        }

    def go_on_after(self, names: list[str], images: Json) -> None:
        """A run that had ended goes on: `names` are its manifests', `images` its counts until now."""
        for name in names:
            stage, _, number = name.rpartition("_")
            if number.isdecimal():
                self._numbers[stage] = max(self._numbers.get(stage, 0), int(number))
        self._returned_before, self._saved = images.get("returned") or 0, images.get("saved") or 0

    def start_pass(self, facts: PassFacts) -> Pass:
        if self.step is not None and self.step.stage is not None:
            facts = replace(facts, stage=self.step.stage)
        outer = Pass(len(self.passes), facts, planned=facts.planned, step=self.step)
        self.passes.append(outer)
        return outer

    def pass_line(self, outer: Pass, number: int, claim: Claim | None) -> Json:
        """What a pass was made from: input picture `number`, from 0; the picture itself travels beside the line.

        A script's passes are made from pieces that are nobody's request: those are not kept.
        """
        outer.inputs = max(outer.inputs, number + 1)
        line = self._input_line(outer.number, number, claim, not self.has_script)
        known = outer.step.parents[number] if outer.step is not None and number < len(outer.step.parents) else None
        return {**line, "known": known} if known is not None else line

    def request_input_line(self, claim: Claim | None) -> Json:
        """The picture a script was given, which what it puts together in the end is made from."""
        return self._input_line(REQUEST_PASS, 0, claim, False)

    def image_line(self, outer: Pass, role: str, slot: Slot, image: ImageValues, now: float) -> Json:
        """The promise of one manifest, named and complete but for what only the file can tell."""
        details = outer.details.get(slot, [])
        stage = self._stage_of(outer, role, bool(details))
        line = self._manifest_line(stage, "final" if role == "grid" else role, image, now)
        line.update({"pass": outer.number, "input": outer.input_of(slot)})
        outer.names[(slot, role)] = line["name"]
        self._made[line["name"]] = line["manifest"]
        line["manifest"].update({
            "config": self._settings(outer, stage, details),
            "requested_seed": outer.facts.requested_seed,
            "batch": {
                "index": None if role == "grid" else slot[1], "size": image.batch_size,
                "iteration": None if role == "grid" else slot[0], "count": image.batch_count,
            },
            "stage_history": self._history(outer, role, slot, details, image.values),
            "stage_duration_ms": self._duration_ms(outer, role, stage, details),
        })
        if outer.step is not None:
            line["manifest"].update(step=outer.step.mark, variant=outer.step.variant)
        if role == "grid":
            line["manifest"]["members"] = outer.grid_members or []
            outer.grid_members = None
        return line

    def script_line(self, stage: str, image: ImageValues, members: list[str], now: float) -> Json:
        """The promise of what a script saves after its passes: a grid of their images, or a picture of their pieces."""
        line = self._manifest_line(stage, "final", image, now)
        line.update({"pass": REQUEST_PASS, "input": 0})
        first = self._made.get(members[0], {}) if members else {}
        manifest = line["manifest"]
        manifest.update({key: first[key] for key in _SHARED if key in first and manifest.get(key) in (None, [])})
        settings = first.get("config") or (self.passes[-1].facts.settings if self.passes else {})
        manifest.update({"config": settings, "members": members, "stage_history": []})
        self._made[line["name"]] = manifest
        if stage != "grid":
            self._put_together += 1
            self._tiles_used += len(members)
        return line

    def companion_line(self, outer: Pass, stage: str, role: str, number: int, infotext: str | None, now: float) -> Json:
        """The promise of a picture the host saves on the way that is none of the pass's images, such as an input picture."""
        line = self._manifest_line(stage, role, ImageValues(None, None, None, None, {"infotext": infotext}), now)
        line.update({"pass": outer.number, "input": number if outer.inputs > 1 else 0})
        line["manifest"].update({"config": {}, "stage_history": []})
        return line

    def wants_kept(self, line: Json) -> bool:
        """Whether an image that the host does not write is to be written to the run folder."""
        batch = line["manifest"].get("batch") or {}
        place = (batch.get("iteration") or 0) * (batch.get("size") or 1) + (batch.get("index") or 0)
        return self.step is not None and place in self.step.kept

    def made(self, name: str) -> Json:
        """The manifest of an image or grid as it was promised; {} of any other."""
        return self._made.get(name, {})

    def plan_more(self, images: int) -> None:
        """So many images are to come that no pass has been begun for yet; negative once it has."""
        self._to_come += images

    def count_planned(self) -> int:
        made = sum(outer.planned for outer in self.passes) - self._tiles_used + self._put_together
        return self.planned or made + self._to_come

    def count_saved(self) -> None:
        """A final image was written to a file."""
        self._saved += 1

    def end_pass(self, outer: Pass, interrupted: bool, error: Json | None) -> None:
        self.note_interrupted(interrupted)
        self._error = self._error or error

    def note_interrupted(self, interrupted: bool) -> None:
        self._interrupted = self._interrupted or interrupted

    def note_error(self, message: str, kind: str | None = None, stage: str | None = None) -> None:
        """Something went wrong where no pass was running; `kind` is the error's."""
        self._error = self._error or {"stage": stage or self.stage, "type": kind, "message": message}

    def note_models(self, models: list[Json], warnings: list[str]) -> None:
        """What a pass used, and where that was not what was asked for; each is listed once."""
        self._models += [model for model in models if model not in self._models]
        self._warnings += [warning for warning in warnings if warning not in self._warnings]

    def end_line(self, now: float, replay: Json | None = None) -> Json:
        """How the run ended; `replay` is the outcome of one that made another again."""
        self._error = self._error or self._find_error()
        status = "failed" if self._error else "interrupted" if self._interrupted else "completed"
        images = {
            "planned": self.count_planned(),
            "returned": self._returned_before + sum(outer.returned for outer in self.passes) - self._tiles_used + self._put_together,
            "saved": self._saved,
        }
        end = {
            "status": status, "finished_at": self._time(now), "images": images, "models": self._models,
            "warnings": self._warnings, "error": self._error, "process": None,
        }
        if replay is not None:
            end["replay"] = replay
        return {"kind": "end", "run_id": self.run_id, "run": end}

    def _find_error(self) -> Json | None:
        if not self.passes:
            return {"stage": self.stage, "type": None, "message": "the host ended the job before its first pass began"}
        unfinished = next((outer for outer in self.passes if outer.begun > outer.returned), None)
        if unfinished is None or self._interrupted:
            return None
        return {"stage": unfinished.facts.stage, "type": None, "message": "the host ended the job before an image was finished"}

    def _time(self, now: float) -> str:
        """Within a run time does not go back, whatever the clock does."""
        self._latest = max(self._latest, now)
        return format_utc(self._latest)

    def _manifest_line(self, stage: str, role: str, image: ImageValues, now: float) -> Json:
        self._numbers[stage] = self._numbers.get(stage, 0) + 1
        name = build_manifest_name(stage, self._numbers[stage])
        manifest = {
            **image.values, "name": name, "run_id": self.run_id, "stage": stage, "role": role, "timestamp": self._time(now),
        }
        return {"kind": "image", "run_id": self.run_id, "name": name, "manifest": manifest}

    def _input_line(self, pass_number: int, number: int, claim: Claim | None, keep: bool) -> Json:
        return {
            "kind": "pass", "run_id": self.run_id, "pass": pass_number, "input": number, "keep": keep,
            "claim": asdict(claim) if claim else None,
        }

    def _stage_of(self, outer: Pass, role: str, detailed: bool) -> str:
        if role == "grid":
            return "grid"
        return "adetailer" if detailed and role == "final" else outer.facts.stage

    def _settings(self, outer: Pass, stage: str, details: list[DetailerPass]) -> Json:
        settings = details[-1].settings if stage == "adetailer" else outer.facts.settings
        return {**settings, "incomplete": outer.incomplete} if outer.incomplete else settings

    def _duration_ms(self, outer: Pass, role: str, stage: str, details: list[DetailerPass]) -> int | None:
        if stage == "adetailer":
            return sum(detail.duration_ms for detail in details if detail.duration_ms is not None)
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
        if details and role == "final" and not outer.is_detailing:
            history.append(self._entry(outer, slot, "before-adetailer", outer.facts.settings, outer.image_ms, seeds))
        return history

    def _entry(self, outer: Pass, slot: Slot, role: str, settings: Json, duration_ms: int | None, seeds: Json) -> Json:
        return {
            "stage": outer.facts.stage, "role": role, "run_id": self.run_id, "name": outer.names.get((slot, role)),
            "settings": settings, "duration_ms": duration_ms, **seeds,
        }
