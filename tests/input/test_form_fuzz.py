"""D15: each form's own fields, several of them bad at once and wrapped oddly, by the right person with the right CSRF
value. Never a 5xx; nothing is done where a value is bad; and what is done is what the form is for, to its own rows.

FUZZ_SEED=… plays a run again. One bad value at a time is in `tests.input.test_every_form`.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.browser_client import Page
from tests.contents import Dump
from tests.faults.length import FULL, either
from tests.input.bench import Bench
from tests.input.forms import FORMS, FormCase, Kind
from tests.input.fuzz import JUDGED, Drawer, Drawn
from tests.input.values import Bad
from tests.plugins.figures import Figure

REQUESTS = either(30, 360)
"""Of each form."""
SEED = int(os.environ.get("FUZZ_SEED") or (time.time() if FULL else 4))
CASES = [case for case in FORMS if FULL or case.name in {"auth.log_in", "access_requests.index"}]
INSTEAD = {"cancel", "replace", "others"}
"""Buttons that do something else, for which the form's other fields do not matter."""
TEXTS = (Kind.NAME, Kind.NAME_IF_SENT, Kind.NAME_OR_NOTHING, Kind.REASON_OR_NOTHING, Kind.MESSAGE_OR_NOTHING)
ANOTHER = {**dict.fromkeys(TEXTS, "Another of them"), Kind.EMAIL_IF_SENT: "another@example.org"}
"""What may stand there as well, and changes more than the good value does: that is what there is already."""
Touched = set[tuple[str, ...]]


def touched(before: Dump, now: Dump) -> Touched:
    """Which columns of which rows differ, which rows are gone, and into which tables new ones came."""
    found: Touched = set()
    for table in before.keys() - {"events", "throttles"}:
        old, new = before[table], now[table]
        found |= {(table, "+")} if new.keys() - old.keys() else set()
        found |= {(table, "-", str(key)) for key in old.keys() - new.keys()}
        for key in old.keys() & new.keys():
            found |= {(table, name, str(key)) for name in old[key] if old[key][name] != new[key][name]}
    return found


class Fuzz:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.before = bench.database.before()
        self.may = self._touched_by_what_is_offered()
        self.accepted = 0

    def _touched(self, page: Page) -> Touched:
        return touched(self.before, self.bench.database.now()) if page.status in self.bench.case.done else set()

    def _offered(self) -> Iterator[dict[str, Bad]]:
        """The form as it is, without one of its fields, with another value, each choice and each box of its page."""
        yield {}
        values = set(re.findall(r'\bvalue="([^"]{1,40})"', self.bench.page().html.partition("<main")[2]))
        for name, kind in self.bench.case.fields.items():
            yield {name: Bad("missing", None)}
            if kind in ANOTHER:
                yield {name: Bad("another", ANOTHER[kind])}
            if kind in (Kind.BOX, Kind.BOX_NEEDED):
                yield {name: Bad("ticked", "yes")}
            if kind in (Kind.CHOICE, Kind.CHOICE_OR_NOTHING):
                yield from ({name: Bad("offered", value)} for value in sorted(values))

    def _touched_by_what_is_offered(self) -> Touched:
        offered = [self._touched(self.bench.send(self.bench.body(fields))) for fields in list(self._offered())]
        return set().union(*offered, self._touched_by_a_file())

    def _touched_by_a_file(self) -> Touched:
        if Kind.FILE not in self.bench.case.fields.values():
            return set()
        form = self.bench.form
        self.bench.form = replace(form, file=b"name,height\nbeech,31\n")
        touched_by_it = self._touched(self.bench.send(*self.bench.whole()))
        self.bench.form = form
        return touched_by_it

    def play(self, drawn: Drawn) -> None:
        bench, case = self.bench, self.bench.case
        path = f"{bench.form.path}?{drawn.query}" if drawn.query else None
        page = bench.send(drawn.body, drawn.content_type, path=path)
        bench.expect(str(drawn), page, {*case.done, 303, 400, 413, 414, 422, 429})
        done = page.status in case.done
        self.accepted += done
        if done and drawn.arrives and self._must_be_refused(drawn):
            bench.faults.append(f"{drawn}: got through with {page.status}")
        if done and (more := self._touched(page) - self.may):
            bench.faults.append(f"{drawn}: changed {sorted(more)}")

    def _must_be_refused(self, drawn: Drawn) -> bool:
        own = {name: value for name, value in drawn.bad.items() if name in self.bench.case.fields}
        if any(own[name].text is not None for name in INSTEAD & own.keys()):
            return False
        return any(value in JUDGED and not self.bench.case.fields[name].accepts(value) for name, value in own.items())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_several_bad_values_at_once_break_nothing_and_get_nothing_done(
    case: FormCase, bench: Callable[[FormCase], Bench], figure: Figure
) -> None:
    sys.stdout.write(f"FUZZ_SEED={SEED}\n")
    fuzz = Fuzz(bench(case))
    opened = fuzz.bench
    drawer, opened.sent = Drawer(case, opened.form.good, opened.csrf, SEED), 0
    for _ in range(REQUESTS):
        fuzz.play(drawer.draw())
    figure(
        "D15 forms fuzzed",
        requests=opened.sent,
        accepted=fuzz.accepted,
        answers_5xx=opened.broken,
        faults=len(opened.faults),
    )
    assert not opened.faults, f"FUZZ_SEED={SEED}\n" + "\n".join(opened.faults[:40])
