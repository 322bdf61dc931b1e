"""Upkeep: what has had its time goes, whatever is still needed stays, and no table grows for ever."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from mfaportal.domain import sealing_events, stored_files, throttles, upkeep
from mfaportal.domain.throttles import Subject
from mfaportal.models import (
    AccessRequest,
    Dataset,
    Event,
    EventSeal,
    Invitation,
    Login,
    LoginPass,
    Mail,
    MailJob,
    OneTimeLink,
    RequestState,
    Setting,
    Throttle,
)
from mfaportal.plumbing.db import reading, transaction
from mfaportal.rules.throttling import LIMITS, Kind
from tests.cli.terminal import Terminal
from tests.datasets import add
from tests.domain.scene import READER, Scene
from tests.stored import stored


def login(number: int, now: datetime, **more: Any) -> dict[str, Any]:
    facts = {"token_digest": number.to_bytes(32), "account_id": READER, "password_at": now, "last_seen_at": now}
    return facts | {"browser": "", **more}


def fill(scene: Scene, number: int = 3) -> None:
    """Some rows of each kind that goes, as of now."""
    now = scene.clock()
    kept = {"account_id": READER, "made_at": now, "expires_at": now + timedelta(days=7)}
    of_mail = {"kind": "reset-link", "recipient": "a@example.org", "made_at": now, "dies_at": now + timedelta(days=1)}
    of_mail |= {"tries": 0, "error": ""}
    rows: dict[Any, list[dict[str, Any]]] = {
        Login: [
            login(each, now, ended_at=now, pending_secret=b"x", pending_at=now, shown_codes=b"x", shown_at=now)
            for each in range(number)
        ]
        + [login(10_000 + each, now, ended_at=None) for each in range(number)],
        OneTimeLink: [
            {**kept, "kind": "reset", "token_digest": each.to_bytes(32), "used_at": now if each % 2 else None}
            for each in range(number)
        ],
        Invitation: [
            {"portal_id": 1, "email": "a@example.org", "role": "reader", "token_digest": each.to_bytes(32)}
            | {"made_at": now, "expires_at": now + timedelta(days=7)}
            for each in range(number)
        ],
        Mail: [
            {**of_mail, "message_id": f"<{each}>", "sent_at": now, "gave_up_at": None, "next_try_at": None}
            for each in range(number)
        ]
        + [
            {**of_mail, "message_id": f"<up{each}>", "sent_at": None, "gave_up_at": now, "next_try_at": None}
            for each in range(number)
        ]
        + [
            {**of_mail, "message_id": f"<never{each}>", "sent_at": None, "gave_up_at": None, "next_try_at": now}
            for each in range(number)
        ],
        MailJob: [
            {"kind": "reset-asked", "sealed": b"x", "made_at": now, "dies_at": now + timedelta(days=1), "after": 0}
            for _ in range(number)
        ],
        AccessRequest: [
            {"portal_id": 1, "email": "a@example.org", "name": "A", "message": "", "made_at": now, "reason": ""}
            | {"state": RequestState.DECOY}
            for _ in range(number)
        ],
        Event: [
            {"kind": "login:password-wrong", "at": now, "source": "web", "browser": "", "details": {}}
            for _ in range(number)
        ],
    }
    with transaction() as session:
        for model, values in rows.items():
            session.execute(insert(model), values)
        for each in range(number):
            for kind in LIMITS:
                throttles.count(session, [Subject(kind, str(90_000 + each))], now)


TABLES = (Login, OneTimeLink, Invitation, Mail, MailJob, AccessRequest, Throttle)


def counts(scene: Scene) -> dict[str, int]:
    return {model.__tablename__: len(stored(scene.app, model)) for model in TABLES}


def run(scene: Scene) -> list[str]:
    """What was done, as the command line says it."""
    with scene.app.app_context():
        report = upkeep.run(scene.cli)
    return [f"{work.number} {work.one if work.number == 1 else work.many}" for work in report.done]


def test_after_400_days_every_table_is_empty_of_what_has_had_its_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PORTION", 2)
    with scene.app.app_context():
        fill(scene)
    before = counts(scene)
    assert all(before.values()), before
    scene.clock.advance(days=400)
    run(scene)
    assert counts(scene) == dict.fromkeys(before, 0)
    assert run(scene) == [], "there is nothing left to do"


def test_what_may_still_be_needed_stays(scene: Scene) -> None:
    with scene.app.app_context():
        fill(scene)
    before = counts(scene)
    scene.clock.advance(hours=23)
    run(scene)
    assert counts(scene) == before
    events = len(stored(scene.app, Event))
    scene.clock.advance(days=20)
    run(scene)
    after = counts(scene)
    for model in (Login, OneTimeLink, Invitation):
        assert after[model.__tablename__] == before[model.__tablename__], "30 days are not over"
    assert after["mail_jobs"] == 0
    assert len(stored(scene.app, Mail)) == 3, "those that were given up"
    assert len(stored(scene.app, Event)) == events


def test_nothing_that_was_left_open_outlives_half_an_hour(scene: Scene) -> None:
    with scene.app.app_context():
        fill(scene)
    scene.clock.advance(minutes=31)
    assert {"3 set-ups that were not finished removed", "3 sets of recovery codes no longer shown"} <= set(run(scene))
    assert {
        (row.pending_secret, row.pending_at, row.shown_codes, row.shown_at) for row in stored(scene.app, Login)
    } == {(None, None, None, None)}


def test_a_way_into_a_guarded_host_that_nobody_took_goes_and_a_pass_stays(scene: Scene) -> None:
    with scene.app.app_context():
        fill(scene, 1)
        with transaction() as session:
            (login_id, *_) = session.scalars(select(Login.id)).all()
            facts = {
                "login_id": login_id,
                "host": "data.example.org",
                "browser_digest": b"x",
                "made_at": scene.clock(),
            }
            session.add(LoginPass(hand_off_digest=b"left", **facts))
            session.add(LoginPass(hand_off_digest=b"taken", token_digest=b"t", taken_at=scene.clock(), **facts))
    scene.clock.advance(minutes=1)
    run(scene)
    assert len(stored(scene.app, LoginPass)) == 2, "it can still be taken"
    scene.clock.advance(minutes=2)
    assert "1 way into a guarded host that nobody took removed" in run(scene)
    assert [row.hand_off_digest for row in stored(scene.app, LoginPass)] == [b"taken"]


def test_a_login_that_is_in_use_stays_however_old_its_account(scene: Scene) -> None:
    with scene.app.app_context():
        caller = scene.log_in(scene.people.reader)
        scene.clock.advance(days=500)
        live = scene.log_in(scene.people.editor)
    assert run(scene)
    assert [row.id for row in stored(scene.app, Login)] == [live.login_id]
    assert caller.login_id != live.login_id


def test_wrong_codes_in_a_row_are_not_forgotten_while_their_account_or_login_is_there(scene: Scene) -> None:
    with scene.app.app_context():
        live = scene.log_in(scene.people.reader)
        subjects = [Subject(kind, "77777") for kind in (Kind.CODE_OF_ACCOUNT, Kind.CODE_OF_STEP_UP)]
        there = [Subject(Kind.CODE_OF_ACCOUNT, str(READER)), Subject(Kind.CODE_OF_STEP_UP, str(live.login_id))]
        with transaction() as session:
            for subject in (*subjects, *there):
                throttles.count(session, [subject], scene.clock())
        scene.clock.advance(days=2)
        upkeep.run(scene.cli)
    left = {(row.kind, row.subject, row.in_a_row) for row in stored(scene.app, Throttle)}
    assert left == {(subject.kind, subject.name, 1) for subject in there}


def test_a_count_from_a_clock_that_was_ahead_goes_as_well(scene: Scene) -> None:
    with scene.app.app_context():
        with transaction() as session:
            throttles.count(session, [Subject(Kind.REQUEST_TO_PORTAL, "1")], scene.clock() + timedelta(days=300))
        assert "1 count of attempts that count no more removed" in run(scene)


def test_a_file_that_no_dataset_refers_to_is_set_aside_and_goes_a_month_later(scene: Scene) -> None:
    with scene.app.app_context():
        add(scene.clock, "Trees", b"trees", "trees.csv")
        add(scene.clock, "Benches", b"benches", "benches.csv")
        with transaction() as session:
            session.execute(delete(Dataset).where(Dataset.title == "Trees"))
    scene.clock.advance(hours=1)
    assert "1 file that no dataset refers to set aside" in run(scene)
    assert not [line for line in run(scene) if "file" in line]
    scene.clock.advance(days=31)
    assert "1 file that was set aside long ago removed" in run(scene)
    with scene.app.app_context():
        assert len(stored_files.store().digests()) == 1


def test_two_at_once_do_no_harm(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second runs in the middle of the first: between what it found and what it removes."""
    with scene.app.app_context():
        fill(scene)
    scene.clock.advance(days=400)
    ran: list[int] = []

    def interrupted() -> Any:
        if not ran:
            ran.append(1)
            upkeep.run(scene.cli)
        return transaction()

    monkeypatch.setattr(upkeep, "transaction", interrupted)
    run(scene)
    assert set(counts(scene).values()) == {0}


def test_what_fails_is_said_and_keeps_nothing_else_from_being_done(
    scene: Scene, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_now: datetime) -> int:
        raise PermissionError("the folder of files")

    monkeypatch.setattr(stored_files, "remove_old_orphans", fail)
    scene.clock.advance(hours=1)
    ran = terminal.run("upkeep")
    assert (ran.code, "files that were set aside long ago removed" in ran.err) == (1, True)
    assert "events sealed" in ran.out
    assert "the folder of files" in caplog.text


def test_events_are_sealed_and_go_after_two_years_some_batches_a_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing_events, "BATCH", 2)
    monkeypatch.setattr(upkeep, "PRUNED_AT_ONCE", 2)
    with scene.app.app_context():
        fill(scene, 6)
    scene.clock.advance(hours=1)
    sealed = len(stored(scene.app, Event))
    assert f"{sealed} events sealed" in run(scene)
    scene.clock.advance(days=731)
    assert "4 events removed after two years" in run(scene)
    assert len(stored(scene.app, Event)) == sealed - 4
    assert len(stored(scene.app, EventSeal)) == -(-sealed // 2)


def test_the_time_is_noted_so_that_a_clock_that_goes_back_is_noticed(scene: Scene) -> None:
    run(scene)
    scene.clock.advance(hours=-2)
    run(scene)
    with scene.app.app_context(), reading() as session:
        assert session.scalar(select(Setting.value).where(Setting.name == "clock-went-back"))


def test_the_command_says_what_it_did_in_a_line_each(terminal: Terminal, scene: Scene) -> None:
    with scene.app.app_context():
        fill(scene, 1)
        scene.clock.advance(hours=25)
        with transaction() as session:
            long_ago = scene.clock() - timedelta(days=31)
            session.execute(update(Login).values(password_at=long_ago, ended_at=long_ago))
    lines = terminal.do("upkeep").lines
    assert "2 logins that ended long ago removed." in lines
    assert "1 mail job that came too late removed." in lines
    assert terminal.do("upkeep").lines == ["Nothing to do."]


@pytest.fixture
def terminal(scene: Scene) -> Terminal:
    return Terminal(scene.app)
