"""What a restore makes ready beside a key ring or a database that lies in a folder of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfaportal.domain import restore_place
from mfaportal.plumbing.config import read


@pytest.fixture
def everybody_may_read() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_nobody_else_can_read_a_key_ring_while_it_is_copied(
    everybody_may_read: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, modes, copyfile = tmp_path / "made.json", [], shutil.copyfile
    made.write_text("{}")

    def copying(source: Path, target: Path) -> None:
        copyfile(source, target)
        modes.append(target.stat().st_mode & 0o777)

    monkeypatch.setattr(shutil, "copyfile", copying)
    settings = read({"MFAPORTAL_INSTANCE": str(tmp_path / "instance")})
    copy = restore_place.near(settings, made, tmp_path / "elsewhere" / "keyring.json")
    assert [*modes, copy.stat().st_mode & 0o777] == [0o600, 0o600]
