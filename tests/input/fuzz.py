"""A form's own fields with bad values in several of them at once, in odd wrappings. Drawn from a seed."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tests.input.bench import URLENCODED
from tests.input.forms import FORMS, FormCase
from tests.input.multipart import MULTIPART, file_part, multipart, text_part
from tests.input.scenes import NEW_PASSWORD
from tests.input.values import BASE, Bad, padded
from tests.people import PORTAL

_NUMBERS = (
    "0",
    "-1",
    "01",
    "1.0",
    "1e3",
    "2147483648",
    "9223372036854775808",
    "9" * 400,
    "\uff11",
    "0x1",
    "+1",
    "1;2",
)
_OF_OTHERS = (
    *("yes", "no", "on", "admin", "reader", "operator", "off", "everyone", "public", "private", "closed", "accept"),
    *("other@example.org", "a@b", "000000", "123 456", "ABCD-EFGH-JKLM", NEW_PASSWORD, PORTAL, "https://x.example"),
)
"""Right in some other form. None of them is a person's address or a row's number here."""
VALUES = (*BASE, *(Bad(f"number {text[:20]}", text) for text in _NUMBERS), *(Bad(text, text) for text in _OF_OTHERS))
JUDGED = set(BASE)
"""Of these is known which kind of field takes them."""
_STRANGE = (
    "role",
    "is_operator",
    "account_id",
    "id",
    "portal",
    "portal_id",
    "next",
    "token",
    "confirmed_at",
    "__init__",
)
_WISHES = tuple(Bad(text, text) for text in ("yes", "1", "4", "admin", "operator", "reader", "", "x"))
"""For fields that the form does not have: what would do the most if anybody read it."""
FOREIGN = sorted({name for case in FORMS for name in case.fields} | set(_STRANGE))
_ODD = ("twice, bad first", "twice, good first", "list", "query", "multipart", "files", "json", "cut", "charset")


@dataclass(frozen=True)
class Drawn:
    """A request. `bad` are the fields that say something else than they should."""

    bad: Mapping[str, Bad]
    wrapping: str
    body: bytes
    content_type: str = URLENCODED
    query: str = ""

    def __str__(self) -> str:
        return f"{self.wrapping} { ({name: value.what for name, value in self.bad.items()}) }"

    @property
    def arrives(self) -> bool:
        """Whether the values stand in the body as a browser would send them."""
        return self.wrapping == "plain"


class Drawer:
    """Of one form, with the good values of the one that is open."""

    def __init__(self, case: FormCase, good: Mapping[str, str], csrf: str, seed: int) -> None:
        self._chance = random.Random(f"{seed} {case}")
        self._case, self._good, self._csrf = case, good, csrf

    def draw(self) -> Drawn:
        chance = self._chance
        own, foreign = sorted(self._case.fields), chance.random() < 0.4
        names = chance.sample(own, min(len(own), chance.choice((0, 0, 1) if foreign else (1, 2, 2, 3))))
        bad = {name: self._value() for name in names}
        if foreign:
            others = [name for name in chance.sample(FOREIGN, 8) if name not in self._case.fields]
            bad |= {name: chance.choice((*_WISHES, self._value())) for name in others}
        return self._wrapped(bad, "plain" if chance.random() < 0.6 else chance.choice(_ODD))

    def _value(self) -> Bad:
        value = self._chance.choice(VALUES)
        if value.text and not value.whole_body and len(value.text) < 200 and self._chance.random() < 0.15:
            return padded(value)
        return value

    def _wrapped(self, bad: dict[str, Bad], wrapping: str) -> Drawn:
        good = {name: value for name, value in self._good.items() if name not in bad}
        right = urlencode({"csrf_token": self._csrf, **good}).encode()
        wrong = b"&".join(part for part in (value.in_body(name) for name, value in bad.items()) if part)
        also = urlencode({name: value for name, value in self._good.items() if name in bad}).encode()
        texts = {name: value.text or "" for name, value in bad.items() if value.text is not None}
        match wrapping:
            case "twice, bad first":
                return Drawn(bad, wrapping, b"&".join((right, wrong, also)))
            case "twice, good first":
                return Drawn(bad, wrapping, b"&".join((right, also, wrong)))
            case "list":
                listed = urlencode([(f"{name}[]", text) for name, text in texts.items()]).encode()
                return Drawn(bad, wrapping, b"&".join((right, listed)))
            case "query":
                return Drawn(bad, wrapping, right, query="&".join(f"{n}={quote(t[:3000])}" for n, t in texts.items()))
            case "multipart" | "files":
                make = text_part if wrapping == "multipart" else file_part
                sent = [text_part(name, value) for name, value in {"csrf_token": self._csrf, **good}.items()]
                return Drawn(bad, wrapping, multipart(*sent, *(make(*each) for each in texts.items())), MULTIPART)
            case "json":
                whole = json.dumps({"csrf_token": self._csrf, **good, **texts}).encode()
                return Drawn(bad, wrapping, whole, "application/json")
            case "cut":
                whole = b"&".join((right, wrong))
                return Drawn(bad, wrapping, whole[: self._chance.randrange(len(whole))])
            case "charset":
                charset = self._chance.choice(("utf-16", "latin-1", "x" * 300, "utf-8;a=b"))
                return Drawn(bad, wrapping, b"&".join((right, wrong)), f"{URLENCODED}; charset={charset}")
            case _:
                return Drawn(bad, wrapping, b"&".join((right, wrong)))
