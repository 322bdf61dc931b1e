"""Restores a backup again and again and dies at one step of it after the other; then looks what is there.

    python restore_and_die.py INSTANCE ARCHIVE SCRATCH POINT…

Prints a line for each point: how far it came, and whether the old installation is there or the new one.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mfaportal import create_app
from mfaportal.domain import restoring
from mfaportal.domain.caller import Caller, Source
from mfaportal.plumbing.config import read
from mfaportal.rules.lifetimes import LoginLimits

STEPS = ("rename", "fsync", "mkdir", "unlink", "rmdir", "link", "replace")
"""What changes the disk, or makes it last."""
DIED = 9


class Steps:
    def __init__(self, last: int) -> None:
        self.count, self._last = 0, last
        for name in STEPS:
            setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self._last:
                os._exit(DIED)
            return step(*arguments, **options)

        return counted


def restore(instance: Path, archive: Path, last: int) -> int:
    """How many steps it took."""
    caller = Caller(datetime.now(UTC), Source.COMMAND_LINE, LoginLimits(timedelta(hours=1), timedelta(hours=1)))
    steps = Steps(last)
    restoring.restore(read({"MFAPORTAL_INSTANCE": str(instance)}), caller, restoring.Wish(archive, force=True))
    return steps.count


def in_a_child(work: Callable[[], int]) -> int:
    """What it returns, up to 250; its exit status if it died."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os._exit(work())
        except BaseException as error:  # noqa: BLE001
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def what_is_there(instance: Path) -> str:
    """After a start: the old installation, the new one, or a mix of them."""
    create_app({"MFAPORTAL_INSTANCE": str(instance)})
    with closing(sqlite3.connect(instance / "mfaportal.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database_is = "old" if database.execute("SELECT 1 FROM accounts WHERE suspended_at").fetchone() else "new"
    ring_is = "old" if len((instance / "keyring").read_text().splitlines()) == 3 else "new"
    files_are = "old" if len(list((instance / "files").glob("??/*"))) == 2 else "new"
    leftover = " and leftovers" if (instance / "restoring" / "moves.json").exists() else ""
    return " ".join(sorted({database_is, ring_is, files_are})) + leftover


def look(instance: Path) -> int:
    sys.stdout.write(what_is_there(instance) + "\n")
    sys.stdout.flush()
    return 0


def main(instance: Path, archive: Path, scratch: Path, points: list[int]) -> None:
    for point in points:
        work = scratch / f"at-{point}"
        shutil.copytree(instance, work)
        ended = in_a_child(lambda work=work, point=point: restore(work, archive, point))  # type: ignore[misc]
        decided = (work / "restoring" / "moves.json").exists()
        sys.stdout.write(f"{point}: {'died' if ended == DIED else ended} {'decided' if decided else 'undecided'} ")
        in_a_child(lambda work=work: look(work))  # type: ignore[misc]
        shutil.rmtree(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), [int(point) for point in sys.argv[4:]])
