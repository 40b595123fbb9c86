from __future__ import annotations

from pathlib import Path

import pytest

from lib_sdpipe.images.digest import perceptual_hash
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import ImageFacts, Manifest
from tests.images.test_digest import painting

RUN = "20251225_143022_a"


def manifest(number: int, run_id: str = RUN, seed: int = 1) -> Manifest:
    picture = painting(number, 64)
    facts = ImageFacts(
        width=64, height=64, sha256=f"{number:064x}", pixel_sha256=f"{number + 1000:064x}", perceptual_hash=perceptual_hash(picture),
    )
    return Manifest(name=f"txt2img_{number:03d}", run_id=run_id, stage="txt2img", role="final", actual_seed=seed, image=facts)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index.sqlite3")


def test_an_image_is_found_by_its_pixels_by_its_seed_and_by_its_looks(index: Index) -> None:
    for number in range(1, 30):
        index.pictures.add(manifest(number, seed=number))
    assert [r.name for r in index.pictures.find_by_pixels(f"{1007:064x}")] == ["txt2img_007"]
    assert [r.name for r in index.pictures.find_by_seed(RUN, 9)] == ["txt2img_009"]
    assert index.pictures.find_alike(64, 64, perceptual_hash(painting(12, 64)))[0].name == "txt2img_012"
    assert index.pictures.find_alike(64, 65, perceptual_hash(painting(12, 64))) == []


def test_a_record_without_digests_is_kept_and_found_by_nothing(index: Index) -> None:
    index.pictures.add(Manifest(name="txt2img_001", run_id=RUN, image=None))
    index.pictures.add(Manifest(name="txt2img_002", run_id=RUN, image=ImageFacts(perceptual_hash="2:zz:zz"), actual_seed=1 << 80))
    assert len(index.content()["pictures"]) == 2
    assert index.pictures.find_alike(64, 64, perceptual_hash(painting(1))) == []
    assert index.pictures.find_alike(64, 64, "damaged") == []
    assert index.pictures.find_by_seed(RUN, 99999999999999999999) == []


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite3").write_bytes(b"not a database at all, but long enough to be read as one" * 40)
    index = Index(tmp_path / "index.sqlite3")
    index.pictures.add(manifest(1))
    assert index.is_new and len(index.content()["pictures"]) == 1


def test_another_versions_file_is_made_anew(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite3")
    index._connection.execute("PRAGMA user_version = 99")
    index.close()
    assert Index(tmp_path / "index.sqlite3").is_new
