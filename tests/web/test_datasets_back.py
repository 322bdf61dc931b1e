"""The back office: datasets added, changed and deleted, by two people at once too; and what a refused form says."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from mfaportal.models import EventKind
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.datasets import MEMBERS, TREES, add, every, files, spooled
from tests.looking import Seen
from tests.people import Cast

BACK = "/portals/city-data/backoffice/datasets"
NEW = f"{BACK}/new"
TREES_PAGE = f"{BACK}/trees"


@pytest.fixture
def trees(app: Flask, people: Cast, clock: MovableClock) -> str:
    with app.app_context():
        return add(clock, "Trees", description="Elms.")


def send(browser: Browser, path: str, *, file: tuple[bytes, str] | None = None, **fields: str) -> Page:
    """Send the form of a page as it stands there, with these fields changed."""
    page = browser.get(path)
    return resend(browser, page, path, file=file, **fields)


def resend(browser: Browser, page: Page, path: str, *, file: tuple[bytes, str] | None = None, **fields: str) -> Page:
    data: dict[str, object] = {"description": "", **page.form().fields, **fields}
    data["file"] = (io.BytesIO(file[0]), file[1]) if file else (io.BytesIO(), "")
    return browser.open("POST", path, data=data, content_type="multipart/form-data")


@pytest.mark.parametrize("who", ["editor", "admin", "operator"])
def test_whoever_works_in_the_back_office_adds_changes_and_deletes(
    browser: Browser, people: Cast, app: Flask, instance: Path, who: str
) -> None:
    person = getattr(people, who)
    browser.log_in(person)
    page = send(
        browser, NEW, title=" Trees  ", description="Elms.\r\nOaks.", visibility="members", file=(TREES, "t.csv")
    )
    assert (page.status, page.location) == (303, TREES_PAGE)
    (row,) = every(app)
    assert (row.title, row.description, row.visibility, row.version) == ("Trees", "Elms.\nOaks.", "members", 1)
    assert (row.file_name, row.file_size, list(files(instance))) == ("t.csv", len(TREES), [row.file_digest])
    page = browser.get(TREES_PAGE)
    assert "The dataset is added." in page.text
    page = send(browser, TREES_PAGE, title="Old trees", visibility="public")
    assert (page.status, page.location) == (303, TREES_PAGE)
    (row,) = every(app)
    assert (row.slug, row.title, row.visibility, row.version) == ("trees", "Old trees", "public", 2)
    assert (row.file_name, list(files(instance).values())) == ("t.csv", [TREES])
    page = send(browser, TREES_PAGE, file=(b"new", "new.csv"))
    assert page.status == 303
    (row,) = every(app)
    assert (row.file_name, row.file_size, list(files(instance).values())) == ("new.csv", 3, [b"new"])
    page = browser.submit(f"{TREES_PAGE}/delete", follow=True)
    assert "The dataset is deleted." in page.text
    assert "There are no datasets here yet." in page.text
    assert (every(app), files(instance), spooled(instance)) == ([], {}, [])
    changed = rows.events(app, EventKind.DATASET_CHANGED)
    assert [event.actor_id for event in changed] == [person.id, person.id]


def test_the_list_shows_all_and_finds_some(browser: Browser, people: Cast, app: Flask, clock: MovableClock) -> None:
    with app.app_context():
        add(clock, "Trees")
        add(clock, "Plans", visibility=MEMBERS)
    browser.log_in(people.editor)
    seen = Seen(browser.get(BACK))
    assert seen.links["Add dataset"] == NEW
    assert [seen.links[title] for title in ("Plans", "Trees")] == [f"{BACK}/plans", TREES_PAGE]
    assert "Members only" in seen.main
    found = Seen(browser.get(f"{BACK}?q=plan"))
    assert "Plans" in found.links
    assert "Trees" not in found.links
    assert "Datasets" in Seen(browser.get("/portals/city-data/backoffice")).links


@pytest.mark.parametrize("first", [{}, {"file": (b"theirs", "theirs.csv")}])
def test_of_two_edits_at_once_the_second_is_shown_what_the_first_saved(
    browser: Browser,
    new_browser: Callable[[], Browser],
    people: Cast,
    app: Flask,
    trees: str,
    first: dict[str, object],
) -> None:
    other = new_browser()
    browser.log_in(people.editor)
    other.log_in(people.admin)
    opened = browser.get(TREES_PAGE)
    assert send(other, TREES_PAGE, title="Theirs", description="By the admin.", visibility="members").status == 303
    mine = {"title": "Mine", "description": "By the editor.", "visibility": "public"}
    page = resend(browser, opened, TREES_PAGE, file=(b"mine", "mine.csv"), **mine)
    assert page.status == 409
    assert "Somebody else saved this dataset" in page.text
    assert "By the admin." in page.text
    assert "Theirs" in page.text
    assert page.form().fields["title"] == "Mine"
    assert page.form().fields["visibility"] == "public"
    assert "By the editor.</textarea>" in page.html
    assert "choose it again" in page.text
    (row,) = every(app)
    assert (row.title, row.description, row.visibility, row.version) == ("Theirs", "By the admin.", "members", 2)
    again = resend(browser, page, TREES_PAGE, description="By the editor.", file=(b"mine", "mine.csv"))
    assert again.status == 303
    (row,) = every(app)
    assert (row.title, row.description, row.file_name, row.version) == ("Mine", "By the editor.", "mine.csv", 3)


def test_a_form_that_does_not_say_what_it_was_opened_on_overwrites_nothing(
    browser: Browser, people: Cast, app: Flask, trees: str
) -> None:
    browser.log_in(people.editor)
    for version in ("", "0", "-1", "1.0", "\uff11", "x", "9" * 30, "1\n"):
        page = send(browser, TREES_PAGE, title="Mine", version=version)
        assert page.status == 422, version
        assert "What is saved now" in page.text
    assert send(browser, TREES_PAGE, title="Mine", version="2").status == 409
    assert [row.title for row in every(app)] == ["Trees"]


def test_what_went_meanwhile_is_not_found(browser: Browser, people: Cast, app: Flask, trees: str) -> None:
    browser.log_in(people.editor)
    edit, delete = browser.get(TREES_PAGE), browser.get(f"{TREES_PAGE}/delete")
    assert browser.send(delete).status == 303
    assert browser.send(delete).status == 404
    assert resend(browser, edit, TREES_PAGE, file=(b"mine", "m.csv")).status == 404
    assert browser.get(TREES_PAGE).status == 404
    assert every(app) == []


BAD = [
    ({"title": ""}, "Enter a title."),
    ({"title": " "}, "Enter a title of 1 to 200 visible characters."),
    ({"title": "\u202e"}, "Enter a title of 1 to 200 visible characters."),
    ({"title": "a" * 201}, "Use at most 200 characters."),
    ({"title": "a\x00b"}, "This holds a character that cannot be used here."),
    ({"description": "a" * 5001}, "Use at most 5000 characters."),
    ({"description": "a\x00b"}, "This holds a character that cannot be used here."),
    ({"visibility": "secret"}, "Not a valid choice."),
    ({"visibility": ""}, "Choose who may see it."),
]


def test_a_refused_form_says_why_and_that_the_file_has_to_be_chosen_again(
    browser: Browser, people: Cast, app: Flask, instance: Path, trees: str
) -> None:
    browser.log_in(people.editor)
    for path in (NEW, TREES_PAGE):
        for fields, said in BAD:
            typed = {"title": "Typed", **fields}
            page = resend(browser, browser.get(path), path, file=(b"sent", "sent.csv"), **typed)
            assert page.status == 422, fields
            assert said in page.text, fields
            assert "If you had chosen one, choose it again." in page.text
    for name, content in (("", b"without a name"), ("", b"")):
        page = send(browser, NEW, title="Typed", file=(content, name))
        assert page.status == 422
        assert "Choose a file." in page.text
        assert page.form().fields["title"] == "Typed"
    page = browser.open("POST", NEW, data={**browser.get(NEW).form().fields, "title": "T", "file": "text"})
    assert page.status == 422
    assert [row.title for row in every(app)] == ["Trees"]
    assert list(files(instance).values()) == [TREES]
    assert spooled(instance) == []


def test_no_field_but_the_forms_own_is_read(browser: Browser, people: Cast, app: Flask, trees: str) -> None:
    browser.log_in(people.editor)
    page = send(
        browser,
        TREES_PAGE,
        slug="other",
        id="9",
        portal_id="9",
        file_name="x",
        file_digest="0" * 64,
        file_size="1",
    )
    assert page.status == 303
    (row,) = every(app)
    assert (row.slug, row.file_name, row.file_size) == ("trees", "trees.csv", len(TREES))


def test_words_that_browsers_would_run_are_shown_as_text(browser: Browser, people: Cast, app: Flask) -> None:
    browser.log_in(people.editor)
    hostile = '<script>alert(1)</script>"><img src=x>'
    page = send(browser, NEW, title=hostile, description=hostile, file=(TREES, f"{hostile}.csv"))
    assert page.status == 303
    front = page.location.replace("/backoffice", "")
    for path in (page.location, f"{page.location}/delete", BACK, front, "/portals/city-data/"):
        html = browser.get(path).html
        assert "<script>" not in html
        assert "<img" not in html
