"""What the pipeline needs of a host, and what it gets back. Pictures pass through it; nothing of a host's own does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Protocol

from PIL import Image

from lib_sdpipe.manifest.records import ImageLink, Json

# A picture that a request names: {"$input": sha256} or {"$image": {"run_id", "name"}}. Raises SdPipeError where it is gone.
FindPicture = Callable[[Json], Image.Image]


@dataclass(frozen=True)
class PassRequest:
    """One pass of the host: what a run's `config` holds, so what was recorded can be asked again.

    `config` has `endpoint` (`txt2img` `img2img` `extras`), the host API's fields, `scripts` and picture references.
    `stage` is what its images are, where that is not what the endpoint says (`adetailer` is an img2img pass).
    `save` are the places in the pass whose images the host writes to its folders, from 0; None is all of them, () none.
    `kept` are those that are written to the run folder instead. `parents` are the recorded images it is made from, one for
    each of `init_images`. `variant` is the manifest's. `step` is kept in each manifest, to go on from after a restart.
    """

    config: Json
    stage: str
    save: tuple[int, ...] | None = None
    kept: tuple[int, ...] = ()
    parents: tuple[ImageLink | None, ...] = ()
    variant: Json | None = None
    step: Json | None = None


@dataclass(frozen=True)
class MadeImage:
    """One image of a pass: its manifest's name, the picture as the host returned it, its infotext."""

    name: str
    picture: Image.Image
    infotext: str | None


@dataclass(frozen=True)
class PassOutcome:
    """What came of a pass. `cut_short` is `interrupted`, `skipped` or `stopped` (after the current image), else None.

    `error` has `type` and `message` of what the host raised; images made until then are there all the same. One that was
    stopped in the middle is recorded, and is not among them.
    """

    images: tuple[MadeImage, ...] = ()
    cut_short: str | None = None
    error: Json | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class PassProgress:
    """How far the host is in the pass that runs: share of its steps from 0 to 1, image from 1 of how many at once."""

    share: float = 0.0
    text: str = ""


@dataclass(frozen=True)
class RunStart:
    """A run that is about to begin. `config` becomes the run's; `replay_of` is what it makes again."""

    label: str
    stage: str
    config: Json
    user: str | None
    planned: int
    replay_of: ImageLink | None = None


@dataclass(frozen=True)
class ModelFile:
    """A checkpoint, VAE or LoRA that the host has: its name as records have it, short and full hash where known."""

    kind: str
    name: str
    model_hash: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class HostFacts:
    """What the host could use and is set to now. `environment` is what a run's environment file would say.

    `latent_upscale_modes` are what hires fix can do besides `upscalers`. `scripts` are by tab (`txt2img` `img2img` `extras`):
    title -> labels of its arguments, in order.
    """

    environment: Json
    models: tuple[ModelFile, ...] = ()
    samplers: tuple[str, ...] = ()
    schedulers: tuple[str, ...] = ()
    upscalers: tuple[str, ...] = ()
    latent_upscale_modes: tuple[str, ...] = ()
    scripts: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)


class HostPort(Protocol):
    """One a process. Only `run_pass` takes the host's lock, for one pass, and only it may take long."""

    def is_wanted(self) -> bool:
        """Whether somebody generates by hand, or waits to: then a job of the queue has to wait."""

    def open_run(self, start: RunStart) -> str:
        """Begin a run; its run_id. Raises SdPipeError where it cannot be recorded."""

    def reopen_run(self, run_id: str, planned: int) -> None:
        """Go on with a run whose process has died or that had failed. Raises SdPipeError."""

    def close_run(self, run_id: str, cut_short: str | None, error: Json | None, replay: Json | None) -> None:
        """End it. `error` is the run file's, `replay` too."""

    def run_pass(self, run_id: str, request: PassRequest, find_picture: FindPicture) -> PassOutcome:
        """Make the images of one pass, recorded in the run. Raises nothing of the host's: that is the outcome's `error`."""

    def promised(self, run_id: str, name: str) -> Json | None:
        """What the manifest of an image made in this open run will say, its file and size left out; None of any other."""

    def wait_recorded(self) -> None:
        """Until everything made so far stands on disk. Raises SdPipeError after a long wait."""

    def drop_kept(self, run_id: str, name: str) -> None:
        """Take an image out of the folder of an open run; its manifest then says that it was not written."""

    def write_picture(self, picture: Image.Image, infotext: str | None, path: str) -> None:
        """Write a picture as the host would, by the ending of the path and with the host's quality settings. Raises OSError."""

    def progress(self) -> PassProgress: ...

    def interrupt(self) -> None:
        """End the pass that runs within one sampling step."""

    def facts(self) -> HostFacts:
        """May take some 100 ms at the first call."""
