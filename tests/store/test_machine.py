from __future__ import annotations

from pathlib import Path

import pytest

from lib_sdpipe.store.machine import _mount_type, process_mark

MOUNTS = (
    "/dev/sda1 / ext4 rw 0 0\nserver:/art /mnt/art nfs4 rw 0 0\n//nas/p /mnt/with\\040space cifs rw 0 0\ntmpfs /mnt/art/fast tmpfs rw 0 0\n"
)


@pytest.mark.parametrize(("path", "kind"), [
    ("/home/x", "ext4"), ("/mnt/art/runs", "nfs4"), ("/mnt/art", "nfs4"), ("/mnt/artistic", "ext4"),
    ("/mnt/with space/runs", "cifs"), ("/mnt/art/fast/runs", "tmpfs"),
])
def test_a_path_has_the_type_of_the_deepest_mount_above_it(path: str, kind: str) -> None:
    assert _mount_type(Path(path), MOUNTS) == kind


def test_a_process_is_named_by_machine_pid_and_boot() -> None:
    mark = process_mark()
    assert mark.pid and mark.machine
