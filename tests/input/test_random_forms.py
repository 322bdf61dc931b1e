"""Each form with bad values in several fields at once, fields twice, as a list, out of order, and with strange ones.

By `make faults` twenty thousand bodies, together with those of `test_every_form`. The seed is the form and a number,
so what is red is red again.
"""

from collections.abc import Callable, Iterator
from random import Random
from urllib.parse import quote_plus

import pytest

from tests.faults.length import either
from tests.input.bench import Bench
from tests.input.forms import FORMS, FormCase
from tests.input.values import BASE, Bad
from tests.plugins.figures import Figure

TIMES = either(2, 360)
ANY = frozenset({200, *range(300, 310), *range(400, 500)})
SMALL = [value for value in BASE if not value.whole_body]
STRANGE = (b"", b"=", b"&", b"%", b"csrf_token", b"next=//evil.example", b"_method=DELETE", b"portal=x&portal[id]=1")


def _parts(case: FormCase, bench: Bench, chance: Random) -> Iterator[tuple[dict[str, Bad], bytes]]:
    """Each field: as it should be, spoiled, left out by being spoiled, twice, or as one of a list."""
    for name in case.fields:
        good = bench.form.good.get(name)
        bad = chance.choice(BASE if chance.random() < 0.01 else SMALL)
        right = b"" if good is None else f"{quote_plus(name)}={quote_plus(good)}".encode()
        match chance.randrange(6):
            case 0 | 1:
                yield {}, right
            case 2 | 3:
                yield {name: bad}, bad.in_body(name)
            case 4:
                yield {}, b"&".join(chance.sample([right, bad.in_body(name)], 2))
            case _:
                yield {}, bad.in_body(f"{name}[]")


def _body(case: FormCase, bench: Bench, chance: Random) -> tuple[dict[str, Bad], bytes]:
    """The fields that are spoiled, to name them, and all parts. What may be taken is `test_every_form`'s to say."""
    spoiled: dict[str, Bad] = {}
    parts = [b"csrf_token=" + bench.csrf.encode()]
    for bad, part in _parts(case, bench, chance):
        spoiled |= bad
        parts.append(part)
    if chance.random() < 0.2:
        parts.append(chance.choice(STRANGE))
    chance.shuffle(parts)
    return spoiled, b"&".join(part for part in parts if part)


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_no_mixture_of_bad_values_breaks_anything_or_is_done_by_halves(
    case: FormCase, bench: Callable[[FormCase], Bench], figure: Figure
) -> None:
    opened = bench(case)
    for number in range(TIMES):
        spoiled, body = _body(case, opened, Random(f"{case} {number}"))
        page = opened.send(body)
        what = f"{number}: {', '.join(f'{name}: {bad.what}' for name, bad in spoiled.items())}"
        opened.expect(what, page, ANY)
    figure("D15 mixtures in forms", bad_inputs=opened.sent, answers_5xx=opened.broken, faults=len(opened.faults))
    opened.check()
