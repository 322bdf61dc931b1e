"""Putting a whole new installation in the place of the old one, so that it is either the one or the other.

Everything new lies ready on the disk where it will stay; then a list of moves is written, in one step. Before that
the old installation is there. After it the new one is: whoever comes next, a start or a command, makes the moves that
are left before it opens anything. Each move is done or not done, however often it is tried.

Where the database is on a server, its commit decides: the list waits, named for a token that the new rows hold.
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
_WAITING = "waiting-"


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
    _write(instance, moves, _MOVES)


def wait(instance: Path, moves: Sequence[Move], token: str) -> None:
    """Write the list, to be decided on when the database has committed what holds the token."""
    _write(instance, moves, f"{_WAITING}{token}")


def decide_waiting(instance: Path, token: str) -> None:
    """The database has committed."""
    with contextlib.suppress(FileNotFoundError):  # a start was faster
        (instance / FOLDER / f"{_WAITING}{token}").rename(instance / FOLDER / _MOVES)
        _sync(instance / FOLDER)


def abandon(instance: Path) -> None:
    """Remove what was made ready, unless it waits for a database that was lost in the middle of its commit."""
    if not is_waiting(instance):
        shutil.rmtree(instance / FOLDER, ignore_errors=True)


def is_waiting(instance: Path) -> bool:
    """Whether a list waits for a commit of which nobody knows whether it came."""
    return bool(_waiting(instance))


def _waiting(instance: Path) -> list[str]:
    return [path.name.removeprefix(_WAITING) for path in (instance / FOLDER).glob(f"{_WAITING}*")]


def _write(instance: Path, moves: Sequence[Move], name: str) -> None:
    for move in moves:
        move.aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if move.staged is not None:
            _sync(move.staged.parent)
    rows = [[str(path) if path else None for path in (move.target, move.aside, move.staged)] for move in moves]
    draft, final = (instance / FOLDER / each for each in (f"{_MOVES}.draft", name))
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:  # noqa: PTH123
        json.dump(rows, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(final)
    _sync(final.parent)


def finish(instance: Path, database_url: str | None = None) -> bool:
    """Make the moves that were decided and are left; whether there were any.

    The database is asked where moves wait for its commit since the machine stopped.

    Raises:
        SettingError: a move cannot be made, or the database does not answer.
    """
    for token in _waiting(instance):
        if database_url is not None and _has_committed(database_url, token):
            decide_waiting(instance, token)
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


def _has_committed(database_url: str, token: str) -> bool:
    from .server_database import was_restored  # noqa: PLC0415  # hardly ever needed, and every start comes by

    return was_restored(database_url, token)


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
