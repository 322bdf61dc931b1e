"""Races for datasets: two who save at once, and a file that is wanted again while its last dataset goes."""

from pathlib import Path

from sqlalchemy import delete, select

from mfaportal.models import Dataset
from mfaportal.plumbing.db import transaction
from tests.datasets import add
from tests.input.multipart import MULTIPART, multipart, text_part
from tests.people import PORTAL
from tests.races.arena import PARALLEL, Arena, Browser
from tests.races.volley import Request

BACK = f"/portals/{PORTAL}/backoffice/datasets"
HALF = PARALLEL // 2


def edits_of_one_version(arena: Arena) -> str | None:
    """Twenty editors opened the same form, and save: one of them has it, the others are told."""
    slug = add(arena.clock(), "Trees")
    browsers = arena.logins(arena.person("editor", apps=1))
    answers = arena.fire(
        browser.post(f"{BACK}/{slug}", title=f"Title {number}", visibility="public", version="1")
        for number, browser in enumerate(browsers)
    )
    (row,) = arena.rows(select(Dataset).where(Dataset.slug == slug))
    winners = [f"Title {number}" for number, answer in enumerate(answers) if answer.status == 303]
    told = sum(answer.status == 409 for answer in answers)
    _clear(arena)
    if (winners, told, row.version) == ([row.title], PARALLEL - 1, 2):
        return None
    return f"{winners} were told that they saved, {told} that they did not; saved is {row.title}, {row.version}"


def files_that_come_while_they_go(arena: Arena) -> str | None:
    """Ten files lose their only dataset while each is sent once more: it is there for those who sent it."""
    contents = [f"a,b\n1,{number}\n".encode() for number in range(HALF)]
    slugs = [add(arena.clock(), "Trees", content) for content in contents]
    browsers = arena.logins(arena.person("editor", apps=1))
    going = [browser.post(f"{BACK}/{slug}/delete") for browser, slug in zip(browsers, slugs, strict=False)]
    coming = [_upload(browser, content) for browser, content in zip(browsers[HALF:], contents, strict=True)]
    mixed = [request for pair in zip(going, coming, strict=True) for request in pair]
    statuses = [answer.status for answer in arena.fire(mixed)]
    left, there = [row.slug for row in arena.rows(select(Dataset))], _files(arena)
    arena.fire(browser.post(f"{BACK}/{slug}/delete") for browser, slug in zip(browsers, left, strict=False))
    afterwards = _files(arena)
    _clear(arena)
    if (statuses, len(left), sorted(there), afterwards) == ([303] * PARALLEL, HALF, sorted(contents), []):
        return None
    return f"{statuses}: {len(left)} datasets have {there}; without them {afterwards} are left"


def _upload(browser: Browser, content: bytes) -> Request:
    fields = {"csrf_token": browser.csrf, "title": "Trees", "visibility": "public"}
    part = b'Content-Disposition: form-data; name="file"; filename="trees.csv"\r\n\r\n' + content
    body = multipart(*[text_part(name, value) for name, value in fields.items()], part)
    return Request("POST", f"{BACK}/new", browser.cookie, browser.address, raw=(MULTIPART, body))


def _files(arena: Arena) -> list[bytes]:
    folder = Path(arena.server.settings["MFAPORTAL_INSTANCE"]) / "files"
    return [path.read_bytes() for path in folder.glob("??/*")]


def _clear(arena: Arena) -> None:
    """The next round begins with nothing."""
    with transaction() as session:
        session.execute(delete(Dataset))
    for path in (Path(arena.server.settings["MFAPORTAL_INSTANCE"]) / "files").glob("??/*"):
        path.unlink()
