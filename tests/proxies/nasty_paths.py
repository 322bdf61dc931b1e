"""Paths that somebody might write in the hope that two programs read them differently; as many as wanted."""

import random
from collections.abc import Callable, Iterator

_HONEST = (
    "/admin/users",
    "/admin",
    "/-/settings",
    "/-",
    "/administration/plan",
    "/data/table.csv",
    "/data/a%20b/%C3%A4.html",
    "/open/page",
    "/open/admin/page",
    "/open/inner/page",
    "/open/inner/admin/users",
    "/openly/page",
    "/x/admin/users",
    "/",
)
_SLASHES = (
    *("//", "///", "%2f", "%2F", "%252f", "%25252F", "/./", "/%2e/", "/%252e/", "/.;/", "/x/../", "/x/%2e%2e/"),
    *("/x/.%2E/", "/x/%252e%252e/", "/x/..;/", "/x/..;a/", "/x%2f..%2f", "/x/..%2f", "/.../", ";/", ";a=b/", "/;/"),
    *("/;a/", "%3b/", "%253b/", "\\", "/\\", "%5c", "%255C", "%00/", "%09/", "%0a/", "./", "%2e/", "../", "%20/"),
    *("/%20", "+/", ",/", ":/", "@/", "?/", "%3f/", "%253f/", "#/", "%23/", "/%23/", "%c0%af", "%ef%bc%8f"),
    *(
        "%e2%88%95",
        "%e2%81%84",
        "/~/",
        "/*/",
        "/$/",
        "/%2f/",
        "/%e2%80%8b",
        "/%c2%ad",
        "/%",
        "/%zz",
        "|",
        "%7c/",
        "/.",
    ),
)
_ENDS = (
    *(
        "/",
        "//",
        ".",
        "%2e",
        "..",
        "/..",
        "/.",
        ";",
        ";x",
        "%3b",
        "?",
        "?/admin",
        "?/../admin",
        "#",
        "#/admin",
        "%23",
    ),
    *("%00", "%20", "+", "%0a", ".json", "%2ejson", ".", "/.json", "~", "~2Ejson", ",", "%2f", "%2f..", "%5c", "&x"),
)
_FRONTS = (
    *("/", "//", "/.", "/%2e", "/%2f", "/;", "/x/..", "/open/..", "/open/../open/inner/..", "/open", "/open/inner"),
    *("/admin/..", "/%20", "/\\", "/%5c", "/.mfaportal", "/.mfaportal/..", "/.mfaportal%2f..", "/public/%2e%2e", ""),
)
_LETTERS = {
    "a": ("A", "%ef%bd%81", "%e2%93%90", "%c2%aa", "a%cc%81", "%c1%a1", "%d0%b0"),
    "i": ("I", "%c4%b1", "%e2%85%b0", "%ef%bd%89"),
    "n": ("N", "%e2%81%bf", "%ef%bd%8e"),
    "p": ("P", "%e2%93%9f", "%ef%bd%90"),
    "e": ("E", "%e2%84%af", "%ef%bd%85"),
    "-": ("%e2%80%90", "%ef%bc%8d", "%e2%88%92", "_"),
    ".": ("%ef%bc%8e", "%e2%80%a4", "%c0%ae"),
}


def nasty_paths(count: int, seed: int) -> Iterator[str]:
    """Different ones, honest ones among them."""
    chance, made = random.Random(seed), set(_HONEST)
    yield from _HONEST
    while len(made) < count:
        path = chance.choice(_HONEST)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            path = chance.choice(_WAYS)(path, chance)
        if not path.startswith("/") and chance.random() < 0.9:  # most readers stop at once where there is none
            path = f"/{path}"
        if path not in made:
            made.add(path)
            yield path


def _encoded(path: str, chance: random.Random) -> str:
    """One sign as an escape, or the escape of an escape."""
    at = chance.randrange(len(path))
    escape = f"%{ord(path[at]):02x}"
    escape = escape.upper() if chance.random() < 0.3 else escape
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        escape = escape.replace("%", "%25")
    return path[:at] + escape + path[at + 1 :]


def _other_slash(path: str, chance: random.Random) -> str:
    places = [at for at, sign in enumerate(path) if sign == "/"] or [0]
    at = chance.choice(places)
    return path[:at] + chance.choice(_SLASHES) + path[at + 1 :]


def _other_letter(path: str, chance: random.Random) -> str:
    places = [at for at, sign in enumerate(path) if sign in _LETTERS]
    if not places:
        return path
    at = chance.choice(places)
    return path[:at] + chance.choice(_LETTERS[path[at]]) + path[at + 1 :]


def _other_front(path: str, chance: random.Random) -> str:
    return chance.choice(_FRONTS) + path


def _other_end(path: str, chance: random.Random) -> str:
    return path + chance.choice(_ENDS)


def _whole_segment(path: str, chance: random.Random) -> str:
    """A segment with an end, or with each sign as an escape."""
    segments = path.split("/")
    at = chance.randrange(len(segments))
    if chance.random() < 0.5:
        segments[at] += chance.choice(_ENDS)
    else:
        segments[at] = "".join(f"%{ord(sign):02X}" for sign in segments[at])
    return "/".join(segments)


_WAYS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_encoded, _encoded, _other_slash, _other_slash, _other_letter, _other_front, _other_end, _whole_segment),
)
