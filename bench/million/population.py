"""Who lives in the installation of `make bench-million`, and what they did: each row follows from its number alone.

So two processes make the same rows without telling each other, and two runs measure the same installation.
"""

from collections.abc import Iterator

from mfaportal.rules.names import key_of

ACCOUNTS = 1_000_000
EVENTS = 10_000_000
REQUESTS = 200_000
LOGINS = 300_000
OPERATORS = 20
HAVE_APP = 6
"""Of ten people."""
OPERATOR, ADMIN, READER = 1, 2, 3
"""The accounts that the measuring logs in with."""
BIG = 1
"""The portal that nearly everybody is in; the others have as many members as `PORTALS` says."""
PORTALS = {2: 50, 3: 500, 4: 5_000, 5: 50_000, 6: 200, 7: 200, 8: 200, 9: 20, 10: 5}
SECOND = 1_000_000
_MASK = (1 << 64) - 1
_GIVEN = [
    first + rest
    for first in [
        "an",
        "be",
        "ca",
        "do",
        "el",
        "fi",
        "gre",
        "ha",
        "in",
        "jo",
        "ka",
        "lu",
        "ma",
        "ni",
        "o",
        "pe",
        "ro",
        "sa",
        "to",
        "zo",
    ]
    for rest in ["na", "rt", "lin", "ra", "mas", "e", "dra", "nik", "le", "to"]
]
_FAMILY = [
    first + middle + end
    for first in [
        "Al",
        "Ber",
        "Cas",
        "Dor",
        "Eng",
        "Fer",
        "Gor",
        "Hol",
        "Ker",
        "Lin",
        "Mar",
        "Nor",
        "Os",
        "Pal",
        "Ros",
        "Stein",
        "Tal",
        "Vel",
        "Wal",
        "Zim",
    ]
    for middle in ["ber", "da", "den", "ga", "ka", "la", "ma", "ne", "ri", "so", "ta", "vi"]
    for end in ["g", "la", "mann", "nen", "ov", "r", "ska", "son", "ti", "wicz"]
]
_STRANGE = (
    "Łukasz Żak",
    "Zoë Sørensen",
    "李明",
    "Σοφία Ρήγα",
    "Ünal Çelik",
    "O'Brien-Ñandú",
    "王小红",
    "Ångström Bö",
)
_HOSTS = [f"{name}.example.{end}" for name in ("mail", "city", "museum", "lab", "school") for end in ("org", "net")]


def shrink(times: int) -> None:
    """A smaller installation: for trying this out."""
    global ACCOUNTS, EVENTS, REQUESTS, LOGINS
    ACCOUNTS, EVENTS, REQUESTS, LOGINS = (each // times for each in (ACCOUNTS, EVENTS, REQUESTS, LOGINS))


def mixed(number: int, salt: int = 0) -> int:
    """A number that looks like chance, the same each time."""
    found = (number * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & _MASK
    found ^= found >> 31
    found = found * 0x94D049BB133111EB & _MASK
    return found ^ found >> 29


def _of(names: list[str], chance: int) -> str:
    """One of them, the first ones far more often than the last."""
    part = (chance & 0xFFFF) / 0x10000
    return names[int(len(names) * part * part)]


def person(number: int) -> tuple[str, str]:
    """Name and e-mail."""
    if number in (OPERATOR, ADMIN, READER):
        who = {OPERATOR: "operator", ADMIN: "admin", READER: "reader"}[number]
        return f"Bench {who.title()}", f"{who}@bench.example.org"
    chance = mixed(number)
    given, family = _of(_GIVEN, chance), _of(_FAMILY, chance >> 16)
    name = f"{_STRANGE[(chance >> 50) % len(_STRANGE)]}" if chance >> 32 & 0x3FF == 0 else f"{given.title()} {family}"
    return name, f"{given}.{family.lower()}{number}@{_HOSTS[(chance >> 42) % len(_HOSTS)]}"


def is_operator(number: int) -> bool:
    return number == OPERATOR or READER < number <= OPERATORS


def has_app(number: int) -> bool:
    return number <= ADMIN or mixed(number, 2) % 10 < HAVE_APP


def accounts(digest: str, start: int) -> Iterator[tuple[object, ...]]:
    """Columns as `seed.ACCOUNTS` names them. One in two hundred is suspended."""
    for number in range(1, ACCOUNTS + 1):
        name, email = person(number)
        suspended = start if number > OPERATORS and mixed(number, 1) % 200 == 0 else None
        yield (number, email, name, key_of(name), digest, is_operator(number), suspended, start, start, start)


def memberships(start: int) -> Iterator[tuple[int, int, str, int]]:
    """Of the big portal, but for one in a hundred; and of the others."""
    for number in range(1, ACCOUNTS + 1):
        if is_operator(number):
            continue
        chance = mixed(number, 3)
        role = "admin" if number == ADMIN or chance % 200 == 0 else "editor" if chance % 40 == 1 else "reader"
        if number <= READER or chance >> 20 & 127:
            yield number, BIG, role, start
    for portal, members in PORTALS.items():
        apart = max(ACCOUNTS // members, 1)
        for place in range(members):
            number = 100 + mixed(place, 10 + portal) % apart + place * apart
            if number <= ACCOUNTS:
                yield number, portal, "admin" if place == 0 else "reader", start


def requests(digest: str, start: int) -> Iterator[tuple[object, ...]]:
    """Columns as `seed.REQUESTS` names them: one in a hundred is open, some were never confirmed."""
    for number in range(1, REQUESTS + 1):
        state = "open" if number % 100 == 0 else ("declined", "accepted", "withdrawn", "unconfirmed")[number % 4]
        made = start + number * 60 * SECOND
        accepted = state == "accepted"
        decided = state not in {"open", "unconfirmed"}
        yield (
            number, BIG if number % 8 else 5, number * 4 if accepted else None,
            None if accepted else f"stranger{number}@example.com", None if accepted else f"Stranger {number}",
            None if accepted else digest, "Please let me in.", state, made, made + 3600 * SECOND if decided else None,
            OPERATOR if decided else None, "reader" if accepted else None, "",
        )  # fmt: skip


_KINDS = (
    ("login:password-right", 70), ("login:completed", 70), ("login:ended", 40), ("login:confirmed", 20),
    ("login:password-wrong", 12), ("code:wrong", 6), ("gateway:entered", 10), ("authenticator:added", 4),
    ("recovery-codes:made", 4), ("membership:added", 6), ("request:made", 4), ("request:accepted", 3),
    ("membership:role-changed", 2), ("invitation:made", 2), ("dataset:changed", 2), ("password:set", 1),
)  # fmt: skip
_RARE = (
    "portal:access-changed",
    "backup:made",
    "events:exported",
    "dataset:deleted",
    "account:deleted",
    "clock:went-back",
)
_BY_CHANCE = [kind for kind, weight in _KINDS for _ in range(weight)]
_IN_PORTALS = ("gateway", "membership", "request:", "invitation", "dataset", "portal")
_BY_OTHERS = ("membership", "request:accepted", "invitation", "dataset", "portal", "backup", "events")
_HERE = {kind: kind.startswith(_IN_PORTALS) for kind in (*_BY_CHANCE, *_RARE)}
_DONE_TO = {kind: kind.startswith(_BY_OTHERS) for kind in (*_BY_CHANCE, *_RARE)}
_BROWSERS = ("Firefox 145 on Linux", "Chrome 142 on Windows", "Safari 26 on macOS", "Chrome 142 on Android")


def events(first: int, last: int, start: int, step: int) -> Iterator[tuple[object, ...]]:
    """Columns as `seed.EVENTS` names them, of the events with these numbers."""
    rare, others = 100_003, len(_RARE)
    for number in range(first, last + 1):
        chance = mixed(number, 4)
        kind = _BY_CHANCE[chance & 0xFF] if number % rare else _RARE[number // rare % others]
        account = 1 + (chance >> 8) % ACCOUNTS
        actor = 1 + (chance >> 40) % OPERATORS if _DONE_TO[kind] else account
        portal = None if not _HERE[kind] else BIG if chance >> 32 & 15 else 2 + (chance >> 36) % 9
        yield (
            number, kind, start + number * step, "web", actor, account, portal,
            f"192.0.2.{chance >> 12 & 255}", _BROWSERS[chance >> 20 & 3], f'{{"login": {chance >> 24 & 0xFFFFF}}}',
        )  # fmt: skip
