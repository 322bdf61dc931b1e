"""The files below the instance folder: each once, for as long as a dataset refers to it, and nothing left behind."""

import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from mfaportal.domain import audit, catalogue, datasets, portals, stored_files
from mfaportal.domain.outcomes import DatasetRefusal, Done
from mfaportal.domain.stored_files import store
from mfaportal.models import Dataset, Event, EventKind
from mfaportal.plumbing.file_store import FileStore, Measured
from mfaportal.plumbing.runtime import runtime
from tests import rows
from tests.clock import MovableClock
from tests.datasets import MEMBERS, TREES, add, described, every, files, spooled, upload
from tests.people import PORTAL, Cast, on_the_command_line
from tests.stranger import stranger_at

DIGEST = hashlib.sha256(TREES).hexdigest()


@pytest.fixture
def inside(app: Flask, people: Cast) -> Iterator[None]:
    with app.app_context():
        yield


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_lies_under_its_digest_and_only_its_owner_reads_it(
    inside: None, instance: Path, clock: MovableClock
) -> None:
    add(clock, "Trees")
    path = instance / "files" / DIGEST[:2] / DIGEST
    assert path.read_bytes() == TREES
    assert _mode(path) == 0o600
    for folder in (path.parent, path.parent.parent, instance / "spool"):
        assert _mode(folder) == 0o700
    assert _mode(instance / "files" / ".lock") == 0o600
    assert spooled(instance) == []


def test_an_upload_is_readable_by_its_owner_alone_and_gone_when_it_is_closed(inside: None, instance: Path) -> None:
    sent = upload()
    (name,) = spooled(instance)
    assert _mode(instance / "spool" / name) == 0o600
    assert sent.file.size == len(TREES)
    sent.file.close()
    sent.file.close()
    assert spooled(instance) == []


def test_one_content_lies_there_once_until_the_last_dataset_that_has_it_goes(
    inside: None, app: Flask, instance: Path, clock: MovableClock
) -> None:
    caller = on_the_command_line(clock)
    first, second = add(clock, "Trees"), add(clock, "Trees again", name="other.csv")
    assert files(instance) == {DIGEST: TREES}
    assert isinstance(datasets.delete(caller, PORTAL, first), Done)
    assert files(instance) == {DIGEST: TREES}
    with upload(b"a,b\n").file as file:
        replaced = datasets.change(caller, PORTAL, second, 1, described("Trees"), datasets.Upload(file, "ab.csv"))
    assert isinstance(replaced, Done)
    assert list(files(instance).values()) == [b"a,b\n"]
    assert isinstance(datasets.delete(caller, PORTAL, second), Done)
    assert files(instance) == {}
    assert every(app) == []


def test_what_comes_to_nothing_leaves_no_file(inside: None, app: Flask, instance: Path, clock: MovableClock) -> None:
    caller, slug = on_the_command_line(clock), add(clock, "Trees")
    for refused, come_to_nothing in (
        (DatasetRefusal.CONFLICT, lambda sent: datasets.change(caller, PORTAL, slug, 2, described("T"), sent)),
        (DatasetRefusal.UNKNOWN, lambda sent: datasets.change(caller, PORTAL, "gone", 1, described("T"), sent)),
        (DatasetRefusal.UNKNOWN, lambda sent: datasets.add(caller, "nowhere", described("T"), sent)),
        (DatasetRefusal.BAD_TITLE, lambda sent: datasets.add(caller, PORTAL, described("\u202e"), sent)),
    ):
        with upload(b"new").file as file:
            assert come_to_nothing(datasets.Upload(file, "new.csv")) is refused
    assert files(instance) == {DIGEST: TREES}
    assert spooled(instance) == []
    assert [(row.title, row.version) for row in every(app)] == [("Trees", 1)]


def test_a_transaction_that_fails_after_the_file_was_placed_takes_it_away_again(
    inside: None, instance: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_more: object) -> None:
        assert list(files(instance)) == [DIGEST]
        raise RuntimeError("in the middle")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        add(clock, "Trees")
    assert files(instance) == {}
    assert spooled(instance) == []


def test_a_file_that_was_damaged_is_replaced_by_the_next_upload_of_it(
    inside: None, instance: Path, clock: MovableClock
) -> None:
    add(clock, "Trees")
    (instance / "files" / DIGEST[:2] / DIGEST).write_bytes(b"half")
    add(clock, "Trees again")
    assert files(instance) == {DIGEST: TREES}


def test_whoever_places_or_removes_waits_for_the_lock(inside: None, instance: Path) -> None:
    done: list[str] = []

    def other() -> None:
        with FileStore(instance).locked():
            done.append("other")

    with store().locked():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.05)
        assert done == []
        done.append("first")
    thread.join(5)
    assert done == ["first", "other"]


def test_what_is_no_digest_is_no_path(inside: None) -> None:
    for name in ("", "../../secret_key", DIGEST.upper(), DIGEST + "a", f"/{DIGEST[1:]}"):
        with pytest.raises(ValueError, match="not a digest"):
            store().open(name, 1)


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_sweep_removes_what_nobody_wants_and_nothing_else(
    inside: None, instance: Path, clock: MovableClock
) -> None:
    clock.now = datetime.now(UTC)  # a file on the disk is as old as the machine says
    add(clock, "Trees")
    orphan = hashlib.sha256(b"orphan").hexdigest()
    (instance / "files" / orphan[:2]).mkdir(exist_ok=True)
    (instance / "files" / orphan[:2] / orphan).write_bytes(b"orphan")
    strange = instance / "files" / DIGEST[:2] / "notes.txt"
    strange.write_text("not ours")
    left, young = upload(), upload()
    _age(left.file.path, 3700)
    assert catalogue.sweep_files(clock()) == 2
    assert set(files(instance)) == {DIGEST, "notes.txt"}
    assert [path.name for path in (instance / "files" / "orphans").iterdir()] == [orphan]
    assert spooled(instance) == [young.file.path.name]
    left.file.close()
    young.file.close()
    assert catalogue.sweep_files(clock()) == 0


def test_a_start_with_an_older_database_sets_newer_files_aside_and_the_right_one_has_them_back(
    inside: None, app: Flask, instance: Path, clock: MovableClock
) -> None:
    """For thirty days; then they are nobody's."""
    add(clock, "Trees")
    add(clock, "Newer", b"newer")
    newer = hashlib.sha256(b"newer").hexdigest()
    (kept,) = rows.rows(app, select(Dataset).where(Dataset.title == "Newer"))
    rows.put(app, update(Dataset).where(Dataset.title == "Newer").values(file_digest=DIGEST))
    assert catalogue.sweep_files(clock()) == 1
    assert store().open(newer, 5) is None
    rows.put(app, update(Dataset).where(Dataset.id == kept.id).values(file_digest=newer))
    assert catalogue.sweep_files(clock()) == 0
    assert store().has(newer, 5)
    rows.put(app, update(Dataset).where(Dataset.id == kept.id).values(file_digest=DIGEST))
    assert catalogue.sweep_files(clock()) == 1
    clock.advance(days=30)
    assert stored_files.remove_old_orphans(clock()) == 0
    clock.advance(seconds=1)
    assert stored_files.remove_old_orphans(clock()) == 1
    assert list((instance / "files" / "orphans").iterdir()) == []


def test_while_a_file_is_put_in_its_place_nobody_waits_for_the_database(
    inside: None, app: Flask, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = FileStore.place

    def slowly(self: FileStore, measured: Measured) -> None:
        with stranger_at(runtime().settings.database_url) as other:
            assert other.begin()
        place(self, measured)

    monkeypatch.setattr(FileStore, "place", slowly)
    slug = add(clock, "Trees")
    with upload(b"new").file as file:
        sent = datasets.Upload(file, "new.csv")
        assert isinstance(datasets.change(on_the_command_line(clock), PORTAL, slug, 1, described("T"), sent), Done)


def test_a_start_with_the_wrong_database_loses_no_file(
    inside: None, app: Flask, instance: Path, clock: MovableClock
) -> None:
    add(clock, "Trees")
    rows.put(app, delete(Dataset))
    assert catalogue.sweep_files(clock()) == 0
    assert list(files(instance)) == [DIGEST]


def test_a_portal_that_goes_takes_its_files_with_it(
    inside: None, app: Flask, instance: Path, clock: MovableClock
) -> None:
    caller = on_the_command_line(clock)
    portals.create(caller, "Second", "second")
    add(clock, "Trees")
    add(clock, "Trees", portal="second")
    for number in range(3):
        add(clock, f"Theirs {number}", str(number).encode(), portal="second")
    assert isinstance(portals.delete(caller, "second"), Done)
    assert list(files(instance)) == [DIGEST]
    assert [row.title for row in every(app)] == ["Trees"]


def test_events_name_numbers_and_visibility_and_nothing_that_was_typed(
    inside: None, app: Flask, clock: MovableClock
) -> None:
    caller, slug = on_the_command_line(clock), add(clock, "Secret plans", description="of ours", name="plans.csv")
    assert isinstance(datasets.change(caller, PORTAL, slug, 1, described("Plans", MEMBERS), None), Done)
    assert isinstance(datasets.delete(caller, PORTAL, slug), Done)
    kinds = [EventKind.DATASET_ADDED, EventKind.DATASET_CHANGED, EventKind.DATASET_DELETED]
    written = rows.rows(app, select(Event).where(Event.kind.in_(kinds)).order_by(Event.id))
    number = written[0].details["dataset"]
    assert [(event.kind, event.details) for event in written] == [
        (EventKind.DATASET_ADDED, {"dataset": number, "visibility": "public"}),
        (EventKind.DATASET_CHANGED, {"dataset": number, "visibility": ["public", "members"], "new_file": False}),
        (EventKind.DATASET_DELETED, {"dataset": number, "visibility": "members"}),
    ]
    assert all(event.portal_id for event in written)


def test_slugs_are_made_of_titles_and_never_clash(inside: None, app: Flask, clock: MovableClock) -> None:
    long = "a" * 60
    titles = ["Trees", "trees!", "TREES", "New", "\u6a39", "\u6728", long, long, "Trees 2", "\u00dcber \u00c4pfel"]
    assert [add(clock, title) for title in titles] == [
        "trees",
        "trees-2",
        "trees-3",
        "new-1",
        "dataset",
        "dataset-2",
        "a" * 40,
        "a" * 38 + "-2",
        "trees-2-2",
        "uber-apfel",
    ]
    assert len({row.slug for row in every(app)}) == len(titles)


def test_the_title_of_the_row_can_be_as_long_as_any_title(inside: None, app: Flask, clock: MovableClock) -> None:
    add(clock, "\ufdfa" * 200)
    (row,) = rows.rows(app, select(Dataset))
    assert len(row.title_key) == 800
