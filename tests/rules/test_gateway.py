"""The four headers of a proxy, and what an operator types as an address: one spelling for each, or refused."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.plumbing.hosts import is_host, stays_here
from mfaportal.rules import gateway
from mfaportal.rules.gateway import (
    Address,
    Chosen,
    Forwarded,
    GuardedPlace,
    Malformed,
    choose,
    header_safe,
    parse_address,
    parse_back_office_path,
    read_forwarded,
    return_url,
)
from mfaportal.rules.return_to import GUARDED_MAX


def _read(
    method: str | None = "GET",
    proto: str | None = "https",
    host: str | None = "data.example.org",
    uri: str | None = "/",
) -> Forwarded | Malformed:
    return read_forwarded(method=method, proto=proto, host=host, uri=uri)


def _parse(text: str) -> Address | None:
    return parse_address(text, is_host=is_host, stays_here=stays_here)


@pytest.mark.parametrize("missing", [None, ""])
@pytest.mark.parametrize("name", ["method", "proto", "host", "uri"])
def test_a_header_that_is_missing_or_empty_is_named(name: str, missing: str | None) -> None:
    assert _read(**{name: missing}) == Malformed(f"X-Forwarded-{name.capitalize()}", "missing")


@pytest.mark.parametrize("name", ["method", "proto", "host"])
@pytest.mark.parametrize("value", ["{0}, {0}", "{0},{0}", "{0},", ",{0}", ",", "evil.example, {0}"])
def test_a_header_with_a_comma_came_twice(name: str, value: str) -> None:
    one = {"method": "GET", "proto": "https", "host": "data.example.org"}[name]
    assert _read(**{name: value.format(one)}) == Malformed(f"X-Forwarded-{name.capitalize()}", "doubled")


def test_a_uri_may_hold_commas() -> None:
    read = _read(uri="/a,b?c,d")
    assert isinstance(read, Forwarded)
    assert read.pieces == ()


@pytest.mark.parametrize(
    ("uri", "chosen"),
    [
        ("/front?a,/table", Chosen(1, back_office=False, prefix="")),
        ("/,/admin", Chosen(1, back_office=True, prefix="")),
        ("/admin,/", Chosen(1, back_office=True, prefix="")),
        ("/front?x,/admin/users?y", Chosen(1, back_office=True, prefix="")),
        ("/a,/b,/%61dmin,/c", Chosen(1, back_office=True, prefix="")),
        ("/a,/other/page", Malformed("X-Forwarded-Uri", "doubled, for two addresses")),
        ("/a" + ",/b" * 21, None),
    ],
)
def test_a_uri_that_may_be_two_lines_is_both(uri: str, chosen: Chosen | Malformed | None) -> None:
    read = _read(uri=uri)
    places = [GuardedPlace(1, "https", "", ("/admin",)), GuardedPlace(2, "https", "/other", ())]
    if chosen is None:
        assert read == Malformed("X-Forwarded-Uri", "readable in too many ways")
    else:
        assert isinstance(read, Forwarded)
        assert choose(read, places) == chosen


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "DELETE", "PROPFIND", "M-SEARCH", "VERSION-CONTROL", "A" * 20]
)
def test_a_method_is_kept(method: str) -> None:
    read = _read(method)
    assert isinstance(read, Forwarded)
    assert read.method == method


@pytest.mark.parametrize(
    "method", ["get", "Get", "GET ", " GET", "GET /", "G\tT", "GET\n", "GÉT", "\uff27ET", "A" * 21, "GET;", "-", "1"]
)
def test_anything_else_is_no_method(method: str) -> None:
    assert _read(method) == Malformed("X-Forwarded-Method", "not a method in capitals")


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("HTTP", "http"),
        ("ws", "http"),
        ("WS", "http"),
        ("wss", "https"),
        ("WSS", "https"),
    ],
)
def test_the_scheme_of_a_web_socket_is_that_of_its_handshake(proto: str, scheme: str) -> None:
    read = _read(proto=proto)
    assert isinstance(read, Forwarded)
    assert read.scheme == scheme


@pytest.mark.parametrize(
    "proto", ["Https", "on", "h2", "https ", " https", "https\n", "https:", "https://", "ftp", "http\u017f", "1"]
)
def test_anything_else_is_no_scheme(proto: str) -> None:
    assert _read(proto=proto) == Malformed("X-Forwarded-Proto", "neither http nor https")


@pytest.mark.parametrize(
    ("proto", "host", "own"),
    [
        ("https", "data.example.org", "data.example.org"),
        ("https", "Data.EXAMPLE.org", "data.example.org"),
        ("https", "data.example.org.", "data.example.org"),
        ("https", "data.example.org.:443", "data.example.org"),
        ("https", "data.example.org:443", "data.example.org"),
        ("wss", "data.example.org:443", "data.example.org"),
        ("https", "data.example.org:80", "data.example.org:80"),
        ("https", "data.example.org:8443", "data.example.org:8443"),
        ("https", "data.example.org:65535", "data.example.org:65535"),
        ("http", "data.example.org:80", "data.example.org"),
        ("ws", "data.example.org:80", "data.example.org"),
        ("http", "data.example.org:443", "data.example.org:443"),
        ("http", "localhost:1", "localhost:1"),
        ("https", "xn--gre-6ka8i.example", "xn--gre-6ka8i.example"),
        ("https", "a--b.1.x1", "a--b.1.x1"),
        ("https", "192.0.2.7", "192.0.2.7"),
        ("https", "192.0.2.7.", "192.0.2.7"),
        ("https", "192.0.2.7:8443", "192.0.2.7:8443"),
        ("https", "[2001:DB8:0::7]", "[2001:db8::7]"),
        ("https", "[2001:db8::7]:443", "[2001:db8::7]"),
        ("https", "[::1]:8443", "[::1]:8443"),
        ("https", ".".join(["a" * 63] * 3), ".".join(["a" * 63] * 3)),
    ],
)
def test_a_host_has_one_spelling(proto: str, host: str, own: str) -> None:
    read = _read(proto=proto, host=host)
    assert isinstance(read, Forwarded)
    assert read.host == own


NO_HOSTS = [
    " ",
    ".",
    "..",
    "data.example.org..",
    ".data.example.org",
    "data..example.org",
    "-data.example.org",
    "data-.example.org",
    "my_data.example.org",
    "_",
    "*",
    "*.example.org",
    "data.example.org ",
    " data.example.org",
    "data.example.org\n",
    "data example.org",
    "data.example.org\x00",
    "data.example.org/",
    "data.example.org\\",
    "data.example.org?",
    "data.example.org#",
    "me@data.example.org",
    "me:word@data.example.org",
    "data.example.org:",
    "data.example.org:0",
    "data.example.org:0443",
    "data.example.org:65536",
    "data.example.org:99999999999",
    "data.example.org:+443",
    "data.example.org:44 3",
    "data.example.org:443:443",
    "data.example.org:https",
    "data.example.org:\u0664\u0664\u0663",
    "https://data.example.org",
    "%64ata.example.org",
    "d\u00e4ta.example.org",
    "data\u3002example.org",
    "\uff44ata.example.org",
    "\u212aata.example.org",
    "1",
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "192.0.2",
    "192.0.2.256",
    "192.0.2.07",
    "192.0.2.7.8",
    "data.example.7",
    "::1",
    "[::1",
    "::1]",
    "[]",
    "[192.0.2.7]",
    "[data]",
    "[::1].",
    "[::1%25eth0]",
    "[fe80::1%eth0]",
    "[::g]",
    "[::1]x",
    "x[::1]",
    "a" * 64,
    ".".join(["a" * 63] * 4),
]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_anything_else_is_no_host(host: str) -> None:
    assert _read(host=host) == Malformed("X-Forwarded-Host", "not a host")
    assert _parse(f"https://{host}/app") is None


@given(st.text("aA0.-:[]_%@ 1f", max_size=12))
def test_a_host_that_is_read_once_is_read_the_same_again(host: str) -> None:
    read = _read(host=host)
    if isinstance(read, Forwarded):
        again = _read(host=read.host)
        assert isinstance(again, Forwarded)
        assert again.host == read.host


def test_a_host_keeps_an_addresss_only_spelling() -> None:
    """What a browser sends for an address that somebody typed in any spelling is that address' host."""
    for typed in ("Data.Example.ORG", "data.example.org.:443", "[2001:0DB8::0:7]:443", "192.0.2.7:8443"):
        address = _parse(f"HTTPS://{typed}/App/")
        read = _read(host=typed)
        assert isinstance(read, Forwarded)
        assert address == Address("https", read.host, "/App")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://data.example.org", "https://data.example.org"),
        ("https://data.example.org/", "https://data.example.org"),
        (" https://data.example.org/app/ ", "https://data.example.org/app"),
        ("https://data.example.org:443/a/b", "https://data.example.org/a/b"),
        ("https://data.example.org:8443/a.b/~c-d_e", "https://data.example.org:8443/a.b/~c-d_e"),
        ("https://data.example.org/.well-known", "https://data.example.org/.well-known"),
        ("https://data.example.org/x.mfaportal", "https://data.example.org/x.mfaportal"),
        ("https://xn--gre-6ka8i.example/", "https://xn--gre-6ka8i.example"),
        ("http://localhost:8001/", "http://localhost:8001"),
        ("http://data.localhost:80", "http://data.localhost"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("HTTP://LOCALHOST", "http://localhost"),
    ],
)
def test_an_address_is_kept_in_its_one_spelling(typed: str, address: str) -> None:
    parsed = _parse(typed)
    assert str(parsed) == address
    assert _parse(address) == parsed


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "data.example.org",
        "//data.example.org",
        "https:data.example.org",
        "https:/data.example.org",
        "https:///data.example.org",
        "https://",
        "https:// data.example.org",
        "ftp://data.example.org",
        "wss://data.example.org",
        "javascript:alert(1)",
        "http://data.example.org",
        "http://192.0.2.7",
        "http://[2001:db8::7]",
        "http://localhost.example.org",
        "https://me@data.example.org",
        "https://data.example.org?x=1",
        "https://data.example.org/?x=1",
        "https://data.example.org/app#top",
        "https://data.example.org//",
        "https://data.example.org//app",
        "https://data.example.org/app//",
        "https://data.example.org/a//b",
        "https://data.example.org/./app",
        "https://data.example.org/app/..",
        "https://data.example.org/app.",
        "https://data.example.org/...",
        "https://data.example.org/%61pp",
        "https://data.example.org/a;b",
        "https://data.example.org/app/*",
        "https://data.example.org/(.*)",
        "https://data.example.org/a b",
        "https://data.example.org/a\\b",
        "https://data.example.org\\app",
        "https://data.example.org/größe",
        "https://data.example.org/\uff41pp",
        "https://data.example.org/.mfaportal",
        "https://data.example.org/.MFAportal/x",
        "https://data.example.org/a\nhttps://data.example.org/b",
        "https://data.example.org/\x00",
        "https://data.example.org/" + "a" * 200,
        " " * 500 + "https://data.example.org",
    ],
)
def test_anything_else_is_no_address(typed: str) -> None:
    assert _parse(typed) is None


def test_what_is_a_host_and_what_stays_here_is_asked_without_the_port() -> None:
    asked: list[str] = []

    def yes(name: str) -> bool:
        asked.append(name)
        return True

    assert parse_address("http://[::1]:8001", is_host=yes, stays_here=yes) == Address("http", "[::1]:8001", "")
    assert asked == ["[::1]", "::1"]
    assert parse_address("https://data.example.org", is_host=lambda _: False, stays_here=yes) is None
    assert parse_address("http://localhost", is_host=yes, stays_here=lambda _: False) is None


plain_segments = st.from_regex(r"[a-zA-Z0-9_~.,=:@&-]{0,9}[a-zA-Z0-9_~-]", fullmatch=True)


@given(
    st.sampled_from(["https://h", "https://Data.example.org:443", "http://localhost:80", "https://[::1]:8"]),
    st.lists(plain_segments, max_size=4),
    st.sampled_from(["", "/"]),
)
def test_what_an_address_says_of_itself_is_read_as_that_address(start: str, segments: list[str], end: str) -> None:
    address = _parse(start + "".join(f"/{segment}" for segment in segments) + end)
    assert address is not None
    assert _parse(str(address)) == address
    assert address.prefix.split("/")[1:] == segments


@given(st.text("/ahtps:.-[]@%;?\\ \n*1\uff0f", max_size=20).map("https://h".__add__) | st.text())
def test_whatever_is_typed_an_address_that_is_one_stays_the_same(typed: str) -> None:
    address = _parse(typed)
    if address is not None:
        assert _parse(str(address)) == address


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/admin", "/admin"),
        (" /admin/ ", "/admin"),
        ("/-/", "/-"),
        ("/a/b.c", "/a/b.c"),
        ("/wiki/Special:Users", "/wiki/Special:Users"),
        ("/.git", "/.git"),
        ("/" + "a" * 199, "/" + "a" * 199),
    ],
)
def test_a_back_office_path_has_no_slash_at_its_end(typed: str, path: str) -> None:
    assert parse_back_office_path(typed) == path
    assert parse_back_office_path(path) == path


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "/",
        "//",
        " / ",
        "admin",
        "*",
        "/admin*",
        "/admin/*",
        "/admin/**",
        "^/admin",
        "/(admin|edit)",
        "/admin?x=1",
        "/admin#top",
        "/admin;x",
        "/%61dmin",
        "/../admin",
        "/admin/.",
        "/admin.",
        "//admin",
        "/admin//",
        "/a//b",
        "\\admin",
        "/a\\b",
        "/a b",
        "/a\tb",
        "/ädmin",
        "/.mfaportal",
        "https://data.example.org/admin",
        "/" + "a" * 200,
    ],
)
def test_anything_else_is_no_back_office_path(typed: str) -> None:
    assert parse_back_office_path(typed) is None


def _return_url(proto: str, host: str, uri: str, prefix: str = "") -> str:
    read = _read(proto=proto, host=host, uri=uri)
    assert isinstance(read, Forwarded)
    return return_url(read, prefix)


def test_one_comes_back_to_the_very_page_with_its_query() -> None:
    assert _return_url("wss", "Data.Example.org.:443", "/a%2Fb?q=%zz&x=\\") == (
        "https://data.example.org/a%2Fb?q=%zz&x=\\"
    )
    assert _return_url("http", "localhost:81", "//evil.example/x") == "http://localhost:81//evil.example/x"


def test_from_an_address_too_long_for_a_link_one_comes_back_without_its_query_or_to_the_first_page() -> None:
    longest = "/app/" + "a" * (GUARDED_MAX - len(quote("https://h/app/", safe="")))
    assert _return_url("https", "h", longest) == f"https://h{longest}"
    assert _return_url("https", "h", f"{longest[:-4]}?b") == f"https://h{longest[:-4]}?b"
    assert _return_url("https", "h", f"{longest[:-2]}?") == f"https://h{longest[:-2]}"
    assert _return_url("https", "h", f"{longest}a") == "https://h/"
    assert _return_url("https", "h", f"{longest}a", "/app") == "https://h/app/"
    assert _return_url("https", "h", "/x?" + "&=" * 500) == "https://h/x", "it counts as it stands in a link"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", ""),
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë", "Zo\u00c3\u00ab"),
        ("à", "\u00c3\u00a0"),
        ("東", "\u00e6\u009d\u00b1"),
        ("a\r\nRemote-User: b", "a  Remote-User: b"),
        ("a\x00\x1f\x7fb", "a   b"),
        ("a\x85\u2028\u2029\u202e\u200b\ud800b", "a      b"),
        (" \ta\n", "a"),
    ],
)
def test_a_header_says_any_name_in_utf_8_and_nothing_else(text: str, sent: str) -> None:
    assert header_safe(text) == sent


@given(
    st.text(max_size=30) | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "L"]), max_size=9)
)
def test_a_header_can_always_be_sent_and_breaks_nothing(text: str) -> None:
    sent = header_safe(text).encode("latin-1")
    assert not any(byte < 0x20 or byte == 0x7F for byte in sent)
    said = sent.decode()
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in said)
    assert said == said.strip()
    assert header_safe(said) == header_safe(text)


def test_what_is_long_is_not_remembered() -> None:
    """Of a long path there are many readings, and anybody may ask about one."""
    before = gateway._remembered.cache_info().currsize
    for number in range(5):
        _read(uri=f"/{number}" + "%2525;x" * 50)
    assert gateway._remembered.cache_info().currsize == before
    _read(uri="/asset-of-this-test.css")
    assert gateway._remembered.cache_info().currsize in (before + 1, 256)
