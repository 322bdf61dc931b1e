"""Whose a path is, and which half of it is asked for: whatever a program on the way makes of the path."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mfaportal.rules.gateway import (
    Chosen,
    Forwarded,
    GuardedPlace,
    Malformed,
    Unknown,
    choose,
    read_forwarded,
    return_url,
)

CITY, ARCHIVE, WIKI = 1, 2, 3
PLACES = (
    GuardedPlace(CITY, "https", "", ("/admin", "/a/b", "/-")),
    GuardedPlace(ARCHIVE, "https", "/app", ("/admin", "/x")),
    GuardedPlace(WIKI, "https", "/app/deep/Wiki", ("/Special:Users",)),
)
FRONT, BACK = Chosen(CITY, False, ""), Chosen(CITY, True, "")
APP_FRONT, APP_BACK = Chosen(ARCHIVE, False, "/app"), Chosen(ARCHIVE, True, "/app")


def _whose(uri: str, places: Sequence[GuardedPlace] = PLACES, proto: str = "https") -> Chosen | Unknown | Malformed:
    read = read_forwarded("GET", proto, "data.example.org", uri)
    return choose(read, places) if isinstance(read, Forwarded) else read


@pytest.mark.parametrize(
    ("uri", "chosen"),
    [
        ("/", FRONT),
        ("//", FRONT),
        ("/?next=/admin", FRONT),
        ("/x?/../admin%", FRONT),
        ("/x?a=\\&b=%00", FRONT),
        ("/administrators", FRONT),
        ("/admin-guide", FRONT),
        ("/x/admin", FRONT),
        ("/a", FRONT),
        ("/a/bc", FRONT),
        ("/apple", FRONT),
        ("/x/app", FRONT),
        ("/gr%C3%B6%C3%9Fe;v=1/100%25?q=50%", FRONT),
        ("/group%2Fproject", FRONT),
        ("/a%25252520b;v=%25252561;w=%25253Fx%2523/%E2%84%80", FRONT),
        ("/a,b:c@d=e+f!$&'()*[]|^", FRONT),
        ("/.well-known/x", FRONT),
        ("/v1..v2/x..y/.z", FRONT),
        ("/%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80", FRONT),
        ("/" + "x/" * 3000, FRONT),
        ("/admin", BACK),
        ("/admin/", BACK),
        ("/admin?x", BACK),
        ("/admin/users", BACK),
        ("/-/sql", BACK),
        ("/-.json", BACK),
        ("/a/b", BACK),
        ("/app", APP_FRONT),
        ("/app/", APP_FRONT),
        ("/app/y", APP_FRONT),
        ("/app/y/admin", APP_FRONT),
        ("/app//y", APP_FRONT),
        ("/app/y%2f%61", APP_FRONT),
        ("/app/admin", APP_BACK),
        ("/app/x/y", APP_BACK),
        ("/app/deep", APP_FRONT),
        ("/app/deep/Wiki", Chosen(WIKI, False, "/app/deep/Wiki")),
        ("/app/deep/Wiki/Main", Chosen(WIKI, False, "/app/deep/Wiki")),
        ("/app/deep/Wiki/special:users", Chosen(WIKI, True, "/app/deep/Wiki")),
    ],
)
def test_a_path_belongs_to_the_longest_address_that_it_lies_under(uri: str, chosen: Chosen) -> None:
    assert _whose(uri) == chosen


BACK_OFFICE_TO_SOMEBODY = [
    "//admin",
    "///admin//x",
    "/Admin",
    "/ADMIN/x",
    "/%61dmin",
    "/%61%64%6d%69%6e",
    "/%2561dmin",
    "/%252561dmin",
    "/%25252561dmin",
    "/%25%36%31dmin",
    "/%2fadmin",
    "/%252Fadmin",
    "/admin%2fusers",
    "/admin%252fusers",
    "/admin;",
    "/admin;x=1",
    "/admin;x=1/users",
    "/admin%3b",
    "/admin%253Bx",
    "/;/admin",
    "/;x/;y/admin;z",
    "/admin%3fx",
    "/admin%253fx",
    "/admin%23x",
    "/admin.",
    "/admin..",
    "/admin.json",
    "/admin.json;x/y",
    "/Admin%2ejson",
    "/admin%20",
    "/admin%20.%20",
    "/%20admin",
    "/%20/admin",
    "/%EF%BD%81dmin",
    "/%EF%BC%A1dmin",
    "/adm%C4%B1n",
    "/adm%C4%B0n",
    "/admin%C2%A0",
    "/admin%E2%80%8B",
    "/ad%C2%ADmin",
    "/admin%CC%81",
    "/%EF%BC%8Fadmin",
    "/admin%EF%BC%8Fx",
    "/admin%EF%BC%9Bx",
    "/admin%EF%BC%9Fx",
    "/admin%EF%BC%8Ejson",
    "/%EF%BC%8561dmin",
    "/%E2%80%8Badmin",
    "/%EF%BC%85%E2%80%8B61dmin",
    "/a//b",
    "/a%2fb",
    "/a;x/b;y",
    "/a;%2fx/b",
    "/a;%252fx/b",
    "/a%3b%252fx/b",
    "/A%2FB.csv",
    "/%2d/sql",
    "/%EF%BC%8D/sql",
]


@pytest.mark.parametrize("uri", BACK_OFFICE_TO_SOMEBODY)
def test_what_any_program_may_take_for_back_office_is_back_office(uri: str) -> None:
    assert _whose(uri) == BACK


@pytest.mark.parametrize("rest", ["/x", "/%78", "//x", "/X.csv", "/;/x;y", "/%2fx", "/%2578/y"])
def test_back_office_lies_under_each_address(rest: str) -> None:
    assert _whose(f"/app{rest}") == APP_BACK


AMBIGUOUS = [
    "//app",
    "/App/x",
    "/%61pp",
    "/%2561pp",
    "/app;x",
    "/app;x/y",
    "/;/app",
    "/app%2fy",
    "/%2fapp",
    "/app%252fy",
    "/app%3fy",
    "/app%23y",
    "/app.",
    "/app./y",
    "/app%20",
    "/%EF%BD%81pp",
    "/app%EF%BC%8Fy",
    "/app/deep//Wiki",
    "/app/deep/wiki",
    "/app/deep%2fWiki",
    "/app/deep/%57iki",
    "/app/deep/Wiki;x",
    "/app/%E2%80%8B/deep/Wiki",
    "/app/deep/W%C4%B1k%C4%B1",
]


@pytest.mark.parametrize("uri", AMBIGUOUS)
def test_what_one_program_may_take_for_another_address_than_the_next_is_refused(uri: str) -> None:
    why = "under one address or another, as one reads it"
    assert _whose(uri) == Malformed("X-Forwarded-Uri", why)
    assert _whose(uri, PLACES[1:]) == Malformed("X-Forwarded-Uri", why)
    assert _whose(uri, PLACES[:1]) == FRONT


REFUSED = {
    "a character that no browser sends": [
        "/a b",
        "/a\tb",
        "/a\nb",
        "/a\r\nHost: x",
        "/\x00",
        "/\x7f",
        "/\x80",
        "/gr\u00f6\u00dfe",
        "/\u00e4?x",
        "/?\u00e4",
        "/? ",
        "/\u2215",
        "/\ud800",
        "/a#b",
        "/?a#b",
        " /",
        "/ ",
    ],
    "not a path": [
        "a",
        "*",
        "?",
        "?/",
        "https://data.example.org/",
        "data.example.org:443",
        "%2f",
        "\\/",
        "./",
        "../",
    ],
    "an escape that is none": [
        "/%",
        "/%1",
        "/%zz",
        "/%%361",
        "/%u0061dmin",
        "/a%/b",
        "/%-1",
        "/%+1",
    ],
    "an escape that is not UTF-8": [
        "/%ff",
        "/%c0%af",
        "/%c0%ae%c0%ae/admin",
        "/%e0%80%af",
        "/%C3",
        "/%ed%a0%80",
        "/%f5%80%80%80",
        "/%25ff%2561dmin",
        "/%25c0%25ae/x",
        "/%EF%BC%85ff",
    ],
    "a backslash or a control character": [
        "/\\admin",
        "/a\\..\\admin",
        "/%5cadmin",
        "/%5Cadmin",
        "/%255cadmin",
        "/%EF%BC%BCadmin",
        "/%00",
        "/admin%00.png",
        "/%0d%0aX:y",
        "/%09admin",
        "/%1f",
        "/%7f",
        "/%C2%85",
        "/%2500",
        "/%25250a",
    ],
    "dots for a segment": [
        "/.",
        "/..",
        "/./",
        "/../",
        "/x/../admin",
        "/x/./admin",
        "/x/..",
        "/...",
        "/x/.../y",
        "/..;/admin",
        "/..;x=1/admin",
        "/x/.;/admin",
        "/%2e",
        "/%2e%2e/admin",
        "/.%2E/admin",
        "/%252e%252e/admin",
        "/%25252e/admin",
        "/x%2f..%2fadmin",
        "/x%2f..",
        "/..%2fadmin",
        "/..%252fadmin",
        "/..%3bx/admin",
        "/..%253bx/admin",
        "/..%3f",
        "/..%23/x",
        "/x;%2f..%2fadmin",
        "/x;/../admin",
        "/..%20/admin",
        "/%20../admin",
        "/.%20./admin",
        "/%20.",
        "/%E2%80%A5/admin",
        "/%E2%80%A6",
        "/%EF%BC%8E./admin",
        "/..%E2%80%8B/admin",
        "/..%EF%BC%8Fadmin",
        "/.%CC%81./admin",
    ],
    "readable in too many ways": [
        "/" + "%25" + "25" * 60 + "41",
    ],
    "too long": ["/" + "a" * 8000, "/?" + "a" * 7999],
}


@pytest.mark.parametrize(("why", "uri"), [(why, uri) for why, uris in REFUSED.items() for uri in uris])
def test_what_no_browser_sends_is_refused(why: str, uri: str) -> None:
    assert _whose(uri) == Malformed("X-Forwarded-Uri", why)


def test_the_longest_uri_is_read() -> None:
    assert _whose("/" + "a" * 7999) == FRONT
    assert _whose("/?" + "a" * 7998) == FRONT


def test_a_host_that_nothing_guards_is_unknown_and_so_is_a_path_beside_its_addresses() -> None:
    assert _whose("/", ()) == Unknown()
    assert _whose("/", PLACES[1:]) == Unknown()
    assert _whose("/ap", PLACES[1:]) == Unknown()
    assert _whose("/application", PLACES[1:]) == Unknown()


def test_another_scheme_than_the_addresss_is_unknown_and_no_shorter_address_takes_its_place() -> None:
    assert _whose("/app", proto="http") == Unknown()
    assert _whose("/app", proto="wss") == APP_FRONT
    mixed = (GuardedPlace(CITY, "http", "", ()), PLACES[1])
    assert _whose("/app", mixed, proto="http") == Unknown()
    assert _whose("/", mixed, proto="ws") == FRONT
    assert _whose("/", mixed) == Unknown()


def test_a_portals_back_office_path_counts_from_each_of_its_addresses_that_the_path_lies_under() -> None:
    """Somebody may have said it with the other address in mind."""
    both = (GuardedPlace(CITY, "https", "", ("/app/admin",)), GuardedPlace(CITY, "https", "/app", ("/app/admin",)))
    assert _whose("/app/admin", both) == Chosen(CITY, True, "/app")
    assert _whose("/app/app/admin", both) == Chosen(CITY, True, "/app")
    assert _whose("/app/other", both) == Chosen(CITY, False, "/app")
    assert _whose("/other/app/admin", both) == FRONT
    another = (both[0], GuardedPlace(ARCHIVE, "https", "/app", ()))
    assert _whose("/app/admin", another) == APP_FRONT


def test_an_address_of_two_portals_opens_neither() -> None:
    assert _whose("/", (PLACES[0], GuardedPlace(ARCHIVE, "https", "", ()))) == Unknown()


def test_addresses_that_differ_in_case_alone_open_nothing() -> None:
    alike = (GuardedPlace(CITY, "https", "/App", ()), GuardedPlace(ARCHIVE, "https", "/app", ()))
    assert isinstance(_whose("/app", alike), Malformed)
    assert isinstance(_whose("/App", alike), Malformed)
    assert _whose("/App", alike[:1]) == Chosen(CITY, False, "/App")


Step = Callable[[str], str]


def _decode_without_what_is_no_text(path: str) -> str:
    return unquote_to_bytes(path.encode("utf-8", "surrogatepass")).decode(errors="ignore")


def _resolve_dots(path: str) -> str:
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del found[max(1, len(found) - 1) :]
        elif segment != ".":
            found.append(segment)
    return "/".join(found)


PROGRAMS: list[Step] = [
    _decode_without_what_is_no_text,
    _decode_without_what_is_no_text,
    _resolve_dots,
    lambda path: re.sub("/+", "/", path),
    lambda path: path.partition(";")[0],
    lambda path: re.sub(";[^/]*", "", path),
    lambda path: path.partition("?")[0],
    lambda path: path.partition("#")[0],
    lambda path: path.replace("\\", "/"),
    lambda path: re.sub("[ .]+(?=/|$)", "", path),
    lambda path: re.sub("[\t\r\n]", "", path),
    lambda path: path.partition("\x00")[0],
    lambda path: unicodedata.normalize("NFC", path),
    lambda path: unicodedata.normalize("NFKC", path),
    str.casefold,
    lambda path: path.upper().lower(),
]
"""What programs do with a path before they look where it leads."""
SMALL = (
    GuardedPlace(CITY, "https", "", ("/ad", "/a/b")),
    GuardedPlace(ARCHIVE, "https", "/a", ("/ad",)),
    GuardedPlace(WIKI, "https", "/a/c", ("/b",)),
)
shapes = st.sampled_from(
    [
        *"/abcdABCD.;",
        *("/", "/", "ad", "/ad", "/a/b", "/a/c/", "//", "/./", "/../", "..", "..;", ";x"),
        *(f"%{ord(char):02x}" for char in "/abcd.;?#% \\\x00\n"),
        *(f"%25{ord(char):02x}" for char in "/abcd.;?#%\\"),
        *("%25252f", "%25252561", "%C4%B1", "%EF%BC%8F", "%EF%BC%85", "%EF%BC%8E", "%EF%BC%9B", "%EF%BD%81"),
        "%E2%84%80",
        *("%E2%80%8B", "%CC%81", "%C3%A4", "%C5%BF", "\\", "?", "+", "%ff", "%c0%af"),
    ]
)
any_path = st.lists(shapes, max_size=9).map(lambda parts: "/" + "".join(parts))


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """A path to something guarded, each of its characters as it is or in one of the ways to hide it."""
    hidden: list[Step] = [
        lambda char: f"%{ord(char):02x}",
        lambda char: f"%25{ord(char):02X}",
        lambda char: f"%25%32%35{ord(char):02x}",
        str.upper,
        lambda char: quote(chr(ord(char) + 0xFEE0)),  # as wide as a Chinese one
        lambda char: f"{char}/" if char == "/" else f"{char}%E2%80%8B",
        lambda char: f";x%2fy{char}" if char == "/" else char,
        lambda char: f".{char}" if char == "/" else char,
        lambda char: f"/;{char}",
        lambda char: f"%3b{char}" if char == "/" else char,
    ]
    plain = draw(st.sampled_from(["/ad", "/a/b", "/a", "/a/ad", "/a/c", "/a/c/b", "/d/a"]))
    ways = st.none() | st.none() | st.sampled_from(hidden)
    found = "".join(char if way is None else way(char) for char in plain for way in [draw(ways)])
    return "/" + found.removeprefix("/") + draw(st.sampled_from(["", "/", "/d", ";d", "%3fd", ".d"]))


def _lies_under(path: str, start: str) -> bool:
    return path == start or path.startswith(f"{start}/")


@settings(max_examples=400)
@given(any_path | disguised(), st.lists(st.sampled_from(PROGRAMS), max_size=7))
@example("/a;%2fd/b", [PROGRAMS[5], PROGRAMS[0]])
def test_the_front_office_is_never_anything_else_to_a_program(path: str, steps: list[Step]) -> None:
    chosen = _whose(path, SMALL)
    if not isinstance(chosen, Chosen) or chosen.back_office:
        return
    (own,) = (place for place in SMALL if place.portal_id == chosen.portal_id)
    views = [path.partition("?")[0]]
    for step in steps:
        views.append(step(views[-1]))
    for view in views:
        longest = max((place.prefix for place in SMALL if _lies_under(view, place.prefix)), key=len)
        assert longest == own.prefix
        for back_office in own.back_office_paths:
            assert not _lies_under(view, own.prefix + back_office)


@given(any_path | disguised(), st.integers(0, 3))
def test_nothing_that_is_put_behind_a_path_makes_front_office_of_back_office(path: str, which: int) -> None:
    chosen = _whose(path, SMALL)
    longer = _whose(path + ("/x", "/", ";x", "?x")[which], SMALL)
    if isinstance(chosen, Chosen) and chosen.back_office:
        assert not isinstance(longer, Chosen) or longer.back_office


plain_paths = st.lists(st.from_regex(r"[a-zA-Z0-9_~.,=:@&-]{0,6}[a-zA-Z0-9_~-]", fullmatch=True), min_size=1).map(
    lambda segments: "/" + "/".join(segments)
)


@given(plain_paths, st.sampled_from(["", "/", "/x", "?x", "/x/y.css?v=1"]))
def test_a_plain_path_has_one_reading_and_is_itself(path: str, rest: str) -> None:
    read = read_forwarded("GET", "https", "h", path + rest)
    assert isinstance(read, Forwarded)
    assert return_url(read, "") == f"https://h{path}{rest}"
    assert len(read.path.folded) == 1
    assert choose(read, [GuardedPlace(CITY, "https", "", ()), GuardedPlace(WIKI, "https", path, ())]) == Chosen(
        WIKI, False, path
    )
    assert choose(read, [GuardedPlace(CITY, "https", "", (path,))]) == BACK


@given(st.lists(st.text(st.characters(categories=["L", "N", "Pd", "Sc"]), min_size=1, max_size=6), max_size=4))
def test_a_title_in_any_script_is_front_office(words: list[str]) -> None:
    assert _whose("/page/" + quote("/".join(words))) == FRONT
