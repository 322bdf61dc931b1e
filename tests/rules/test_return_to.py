"""Only paths of this very host, whatever a browser, a proxy or a framework makes of them."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules.return_to import local_path

HERE = "https://portal.example.org/log-in"
HOSTILE = [
    "",
    "evil.example",
    "account",
    "./account",
    "../account",
    "?next=/account",
    "#top",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/%2f..",
    "//user@evil.example",
    "//user:word@evil.example/",
    "//[::1]/",
    "//portal.example.org.evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "\\evil.example",
    "/path\\..\\evil",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/%2fevil.example",
    "/%2F%2Fevil.example",
    "/%09/evil.example",
    "/%0d/evil.example",
    "/%0a/evil.example",
    "/%00",
    "/%20/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/;//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    " /account",
    "/account ",
    "/account\n",
    "/account\r\nSet-Cookie: a=b",
    "/account%0d%0aSet-Cookie:a=b",
    "/a\x00b",
    "/a\x1fb",
    "/a\x7fb",
    "/a\x85b",
    "/a\u00a0b",
    "http://evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "https://portal.example.org@evil.example",
    "https://portal.example.org/account",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,hello",
    "vbscript:x",
    "blob:https://evil.example/1",
    "view-source:https://evil.example",
    "mailto:a@evil.example",
    "/\uff0fevil.example",
    "/\u2044evil.example",
    "/\u2215evil.example",
    "/%ef%bc%8fevil.example",
    "\uff0f\uff0fevil.example",
    "/\u3002evil.example",
    "/\u202egro.elpmaxe",
    "/\ufeff/evil.example",
    "/\ud800",
    "/" + "a" * 2400,
    "/account?" + "&" * 1310,
]
OWN = [
    "/",
    "/account",
    "/account/",
    "/account/security/methods/7/delete",
    "/portals/city-data/backoffice/access/users?q=z%C3%B6e&role=admin",
    "/portals/city-data/?a=//evil.example",
    "/portals/city-data/?next=https://evil.example",
    "/account?x=%0d%0a",
    "/account?q=é",
    "/account#apps",
    "/@evil.example",
    "/evil.example",
    "/a:b",
    "/" + "a" * 2399,
    "/account?" + "&" * 1200,
]


@pytest.mark.parametrize("wanted", HOSTILE)
def test_what_might_lead_elsewhere_leads_nowhere(wanted: str) -> None:
    assert local_path(wanted) is None


@pytest.mark.parametrize("wanted", OWN)
def test_a_path_of_this_portal_is_kept_as_it_is(wanted: str) -> None:
    assert local_path(wanted) == wanted


def test_nothing_leads_nowhere() -> None:
    assert local_path(None) is None


pieces = st.lists(
    st.sampled_from([*"/\\.:@?#%;\t\r\n \x00", "%2f", "%5c", "%09", "http", "javascript", "evil.example", "\uff0f"])
    | st.characters(),
    max_size=12,
).map("".join)


@given(pieces | pieces.map("/".__add__))
def test_what_is_kept_stays_on_this_host_for_a_browser_that_takes_backslashes_for_slashes(wanted: str) -> None:
    path = local_path(wanted)
    if path is not None:
        browsers_way = "".join(char for char in path if char not in "\t\r\n").replace("\\", "/")
        for seen in (path, browsers_way):
            assert urlsplit(urljoin(HERE, seen))[:2] == ("https", "portal.example.org")
