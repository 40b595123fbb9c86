"""Thumbnails of images that nothing recorded: by the index's id and what tells the file from another, confined to the roots."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.browsing import address_of_file, browse_images, find_file_at
from lib_sdpipe.workspace.watch import LibraryWatch
from tests.api.conftest import Serve
from tests.ui.sample_library import SampleLibrary


def addresses(library: SampleLibrary) -> dict[str, str]:
    """What a page is told, by file name, as it is below the API."""
    LibraryWatch(library.layout).ask(patience=60)
    page = browse_images(Workspace(library.layout), "recorded:no", 50)
    assert page is not None
    return {found.path or "": (address_of_file(found) or "").removeprefix("sdpipe/v1/") for found in page.images}


@pytest.fixture
def picture(library: SampleLibrary) -> Path:
    path = library.outputs / "old.png"
    Image.new("RGB", (900, 600), (200, 30, 60)).save(path)
    return path


def test_the_pages_address_shows_this_file_without_a_login(serve: Serve, library: SampleLibrary, picture: Path) -> None:
    address = addresses(library)["old.png"]
    answer = serve(users={"ann": "x"}).get(address)
    with Image.open(io.BytesIO(answer.content)) as small:
        assert small.size == (320, 213)
    assert serve(users={"ann": "x"}).get(address.partition("?")[0]).status_code == 401
    assert serve(users={"ann": "x"}).get(address.replace("/1/", "/2/")).status_code == 401


def test_the_page_has_an_address_of_the_whole_picture_too(serve: Serve, library: SampleLibrary, picture: Path) -> None:
    small = addresses(library)["old.png"]
    found = find_file_at(Workspace(library.layout), "outputs", "old.png")
    assert found is not None
    address = (address_of_file(found, is_small=False) or "").removeprefix("sdpipe/v1/")
    client = serve(users={"ann": "x"})
    assert client.get(address).content == picture.read_bytes()
    assert client.get(small.replace("file-thumbnails", "files")).status_code == 401
    picture.write_bytes(b"no picture any more")
    assert client.get(address).status_code == 404
    assert find_file_at(Workspace(library.layout, viewer="ann"), "outputs", "old.png") is None


def test_an_address_fails_once_its_number_is_another_files(client: TestClient, library: SampleLibrary, picture: Path) -> None:
    (library.outputs / "folder").mkdir()
    picture = picture.rename(library.outputs / "folder" / "old.png")  # the last that is looked at
    Image.new("RGB", (8, 8)).save(library.outputs / "another.png")
    address = addresses(library)["folder/old.png"]
    picture.unlink()
    assert addresses(library).keys() == {"another.png"}
    Image.new("RGB", (8, 8)).save(library.outputs / "private.png")
    other = addresses(library)["private.png"]
    assert other.split("/")[1] == address.split("/")[1], "the number is used again"
    assert client.get(address).status_code == 404 and client.get(other).status_code == 200


def test_an_address_fails_once_the_file_is_recorded_or_changed(client: TestClient, library: SampleLibrary, picture: Path) -> None:
    address = addresses(library)["old.png"]
    os.utime(picture, (5, 5))
    assert addresses(library)["old.png"] != address and client.get(address).status_code == 404
    address = addresses(library)["old.png"]
    library.add_image(library.add_run("adopted", ago=5), "txt2img_001", 1, file=False, path="old.png")
    assert addresses(library) == {} and client.get(address).status_code == 404


def test_a_link_out_of_the_roots_shows_nothing(client: TestClient, library: SampleLibrary, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    os.symlink(tmp_path / "secret.png", library.outputs / "link.png")
    assert client.get(addresses(library)["link.png"]).status_code == 404


@pytest.mark.parametrize("place", ["0/x", "-1/x", "9" * 30 + "/x", "x/y", "1/..%2f..", "1/%00", "1/" + "a" * 5000])
def test_numbers_that_are_none_are_refused(client: TestClient, library: SampleLibrary, picture: Path, place: str) -> None:
    addresses(library)
    assert client.get(f"file-thumbnails/{place}").status_code in (400, 404, 422)


def test_somebody_who_sees_own_runs_sees_none_of_them_but_by_the_pages_key(library: SampleLibrary, picture: Path) -> None:
    address = addresses(library)["old.png"]
    workspace = Workspace(library.layout, viewer="ann")
    page = browse_images(workspace, "", 5)
    assert page is not None and page.images == []
    from lib_sdpipe.errors import UnknownNameError
    from lib_sdpipe.workspace.browsing import find_file_thumbnail

    with pytest.raises(UnknownNameError):
        find_file_thumbnail(workspace, int(address.split("/")[1]), address.split("/")[2].partition("?")[0])
