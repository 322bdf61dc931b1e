"""Putting a whole new installation in the place of the old one, so that it is either the one or the other.

Everything new lies ready on the disk where it will stay; then a list of moves is written, in one step. Before that
the old installation is there. After it the new one is: whoever comes next, a start or a command, makes the moves that
are left before it opens anything. Each move is done or not done, however often it is tried.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .config import SettingError

FOLDER = "restoring"
_MOVES = "moves.json"


@dataclass(frozen=True, slots=True)
class Move:
    """`target` goes to `aside`, if it is there; then `staged`, if there is any, becomes `target`."""

    target: Path
    aside: Path
    staged: Path | None = None


def clear(instance: Path) -> Path:
    """An empty folder to make ready in; what a broken-off restore left in it goes."""
    folder = instance / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def decide(instance: Path, moves: Sequence[Move]) -> None:
    """Write the list of moves: from now on the new installation is the one."""
    for move in moves:
        move.aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if move.staged is not None:
            _sync(move.staged.parent)
    rows = [[str(path) if path else None for path in (move.target, move.aside, move.staged)] for move in moves]
    draft, final = (instance / FOLDER / name for name in (f"{_MOVES}.draft", _MOVES))
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:  # noqa: PTH123
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(final)
    _sync(final.parent)


def finish(instance: Path) -> bool:
    """Make the moves that were decided and are left; whether there were any.

    Raises:
        SettingError: a move cannot be made.
    """
    listed = instance / FOLDER / _MOVES
    if not listed.exists():
        return False
    try:
        with _one_at_a_time(instance):
            if not listed.exists():
                return False  # another process did it while this one waited
            for target, aside, staged in json.loads(listed.read_text()):
                _make(Move(Path(target), Path(aside), Path(staged) if staged else None))
            listed.unlink()
            _sync(listed.parent)
            shutil.rmtree(listed.parent, ignore_errors=True)
    except OSError as error:
        raise SettingError(
            f"A restore was broken off, and the rest of it cannot be done: {error}. Put that right and start again."
        ) from error
    return True


def _make(move: Move) -> None:
    if move.staged is None:
        with contextlib.suppress(FileNotFoundError):
            move.target.rename(move.aside)
    elif move.staged.exists():
        with contextlib.suppress(FileNotFoundError):
            move.target.rename(move.aside)
        move.staged.rename(move.target)
    for folder in {move.target.parent, move.aside.parent}:
        _sync(folder)


@contextlib.contextmanager
def _one_at_a_time(instance: Path) -> Iterator[None]:
    number = os.open(instance, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
