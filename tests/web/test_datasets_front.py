"""The front office: which datasets somebody finds, what a dataset's page shows, and what is not there for whom."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import delete, update

from mfaportal.domain import portals
from mfaportal.models import Dataset, Membership, Portal
from tests import rows
from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.datasets import MEMBERS, add, every
from tests.input.values import BASE, UNESCAPED
from tests.looking import Seen
from tests.people import Cast, on_the_command_line

FRONT = "/portals/city-data/"
DATASETS = "/portals/city-data/datasets/"


def listed(page: Page) -> list[str]:
    """The titles on a front page, in their order."""
    assert page.status == 200
    return [node.text for node in Seen(page).all("a") if node["href"].startswith(DATASETS)]


@pytest.fixture
def catalogue(app: Flask, people: Cast, clock: MovableClock) -> None:
    """A public portal: trees and Benches for everybody, plans for members."""
    with app.app_context():
        add(clock, "trees of the city", description="Elms and 100% oaks.\nCounted by hand.\n\nIn 2026.")
        add(clock, "Benches", b"one,two\n<b>,\"'\n", "benches.csv")
        add(clock, "Plans", b"secret", "plans.bin", visibility=MEMBERS, description="elm street")
    rows.put(app, update(Portal).values(visibility="public"))


@pytest.mark.parametrize("path", ["/", FRONT])
def test_everybody_finds_what_is_for_everybody_and_members_find_all(
    browser: Browser, people: Cast, app: Flask, catalogue: None, path: str
) -> None:
    assert listed(browser.get(path)) == ["Benches", "trees of the city"]
    browser.log_in(people.reader)
    page = browser.get(path)
    assert listed(page) == ["Benches", "Plans", "trees of the city"]
    assert page.text.count("members only") == 1
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    assert listed(browser.get(path)) == ["Benches", "trees of the city"]  # logged in, and no member


def test_operators_see_what_members_see(browser: Browser, people: Cast, catalogue: None) -> None:
    browser.log_in(people.operator)
    assert listed(browser.get(FRONT)) == ["Benches", "Plans", "trees of the city"]
    assert browser.get(f"{DATASETS}plans").status == 200


def test_a_private_portal_sends_strangers_to_log_in_whatever_they_ask_for(
    browser: Browser, app: Flask, catalogue: None
) -> None:
    rows.put(app, update(Portal).values(visibility="private"))
    for name in ("benches", "plans", "nothing", "benches/file", "plans/file", "nothing/file"):
        assert browser.get(DATASETS + name).location == f"/log-in?next={DATASETS}{name}"


def test_search_finds_parts_of_titles_and_descriptions_and_takes_them_literally(
    browser: Browser, people: Cast, catalogue: None
) -> None:
    def found(text: str) -> list[str]:
        return listed(browser.get(f"{FRONT}?{urlencode({'q': text})}"))

    trees = "trees of the city"
    for text, wanted in (
        ("TREES", [trees]),
        ("elm", [trees]),  # and not the plans in Elm Street
        ("100%", [trees]),
        ("1%", []),
        ("_", []),
        ("\\", []),
        ("e", ["Benches", trees]),
        ("\x00", ["Benches", trees]),
        ("Plans", []),
    ):
        assert found(text) == wanted, text
    browser.log_in(people.reader)
    assert found("elm") == ["Plans", trees]
    page = browser.get(f"{FRONT}?q=nothing+is+called+so")
    assert "No dataset fits \u201cnothing is called so\u201d." in page.text
    assert Seen(page).links["Show all datasets"] == FRONT


def test_a_long_list_is_paged_by_key_and_tells_nobody_where_hidden_ones_stand(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock, catalogue: None
) -> None:
    with app.app_context():
        for number in range(105):
            add(clock, f"Dataset {number:03}")
    seen: list[str] = []
    path = FRONT
    while path:
        page = browser.get(path)
        seen += listed(page)
        path = FRONT + re.sub(r"^[^?]*", "", Seen(page).links.get("Next page", ""))
        path = "" if path == FRONT else path
    assert seen == ["Benches", *[f"Dataset {number:03}" for number in range(105)], "trees of the city"]
    assert listed(browser.get(f"{FRONT}?after=dataset-103"))[0] == "Dataset 104"
    first = listed(browser.get(FRONT))
    for after in ("plans", "nothing", "", "%00", "-1", "A", "a" * 500, "\u6728"):
        assert listed(browser.get(f"{FRONT}?{urlencode({'after': after})}")) == first, after
    assert listed(browser.get(f"{FRONT}?q=dataset+1&after=dataset-103")) == ["Dataset 104"]
    assert "No dataset comes after this." in browser.get(f"{FRONT}?after=trees-of-the-city").text


@pytest.mark.parametrize("field", ["q", "after"])
def test_a_bad_query_finds_nothing_or_is_none(browser: Browser, people: Cast, catalogue: None, field: str) -> None:
    browser.log_in(people.editor)
    for value in BASE:
        if value.text is None or len(value.text) > 20_000:
            continue
        for path in (FRONT, "/portals/city-data/backoffice/datasets"):
            page = browser.get(f"{path}?{value.in_body(field).decode('latin-1')}")
            assert page.status == 200, value.what
            assert not [text for text in UNESCAPED if text in page.html], value.what


def test_a_datasets_page_shows_what_it_is_and_its_first_rows(browser: Browser, catalogue: None) -> None:
    page = browser.get(f"{DATASETS}trees-of-the-city")
    seen = Seen(page)
    assert page.status == 200
    assert seen.h1 == "trees of the city"
    assert [node.text for node in seen.all("p") if node["class"] == "prose"] == [
        "Elms and 100% oaks. Counted by hand.",
        "In 2026.",
    ]
    assert seen.links["Download"] == f"{DATASETS}trees-of-the-city/file"
    assert "trees.csv \u00b7 26 bytes \u00b7 changed today, 09:00 UTC" in page.text
    assert [node.text for node in seen.all("th")] == ["name", "height"]
    assert [node.text for node in seen.all("td")] == ["elm", "12", "oak", "20"]
    (region,) = [node for node in seen.all("div") if node["role"] == "region"]
    assert region["tabindex"] == "0"
    assert seen.all("caption")[0].text == "First rows of the file"


def test_what_stands_in_a_file_is_shown_as_text(browser: Browser, catalogue: None) -> None:
    page = browser.get(f"{DATASETS}benches")
    assert "<td>&lt;b&gt;</td>" in page.html
    assert "<b>" not in page.html


def test_a_file_that_is_no_table_has_a_page_all_the_same(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock
) -> None:
    with app.app_context():
        add(clock, "Zip", b"PK\x03\x04" + bytes(100), "zip.csv")
        add(clock, "Empty", b"", "empty.csv")
        add(clock, "Long", b"a" * 70_000, "long.csv")
        add(clock, "Picture", b"\x89PNG", "picture.png")
    browser.log_in(people.reader)
    for slug, said in (
        ("zip", "something else than text"),
        ("empty", "The file is empty."),
        ("long", "its first line is too long"),
        ("picture", "picture.png \u00b7 4 bytes"),
    ):
        page = browser.get(DATASETS + slug)
        assert page.status == 200
        assert said in page.text
        assert "<table" not in page.html
        assert "Download" in Seen(page).links


def test_what_is_for_members_only_is_not_there_for_anybody_else_to_the_byte(
    browser: Browser, new_browser: Callable[[], Browser], people: Cast, app: Flask, catalogue: None
) -> None:
    outsider = new_browser()
    outsider.log_in(people.reader)
    outsider.get("/")
    rows.put(app, delete(Membership).where(Membership.account_id == people.reader.id))
    for who in (browser, outsider):
        for method in ("GET", "HEAD"):
            for ending in ("", "/file"):
                hidden = who.open(method, f"{DATASETS}plans{ending}", buffered=True)
                absent = who.open(method, f"{DATASETS}ghost{ending}", buffered=True)
                assert (hidden.status, absent.status) == (404, 404)
                assert _all_of(hidden) == _all_of(absent)
    rows.put(app, update(Dataset).where(Dataset.slug == "benches").values(visibility="unreadable"))
    assert browser.get(f"{DATASETS}benches").status == 404


def _all_of(page: Page) -> tuple[str, list[tuple[str, str]]]:
    """The answer with the CSRF value of the log-out form taken out: it is masked anew each time."""
    html = re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", page.response.get_data(as_text=True))
    return html, sorted(header for header in page.response.headers if header[0] != "Set-Cookie")


def test_a_dataset_is_found_in_its_own_portal_only(
    browser: Browser, people: Cast, app: Flask, clock: MovableClock, catalogue: None
) -> None:
    with app.app_context():
        portals.create(on_the_command_line(clock), "Second", "second")
    browser.log_in(people.operator)
    for ending in ("", "/file"):
        assert browser.get(f"/portals/second/datasets/benches{ending}", buffered=True).status == 404
    for ending in ("", "/delete"):
        path = f"/portals/second/backoffice/datasets/benches{ending}"
        assert browser.get(path).status == 404
        fields = {"csrf_token": browser.csrf("/account"), "title": "Mine", "visibility": "public", "version": "1"}
        assert browser.open("POST", path, data=fields).status == 404
    assert {row.title for row in every(app)} == {"Benches", "Plans", "trees of the city"}
