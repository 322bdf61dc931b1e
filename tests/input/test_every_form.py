"""Each bad value in each field of each form: a form error or another 4xx, soon, and nothing done.

A third of the values for each field, another third for the next one; all of them for all by `make faults`.
"""

import os
import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.input.bench import Bench
from tests.input.forms import FORMS, WITH_A_FILE, WITHOUT_FIELDS, FormCase, Kind
from tests.input.values import BASE, padded
from tests.plugins.figures import Figure

_SHARE = 1 if os.environ.get("FAULTS") == "full" else 3
each_form = pytest.mark.parametrize("case", FORMS, ids=str)


def test_the_table_knows_every_endpoint_that_takes_a_form(app: Flask) -> None:
    taking = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert taking == {case.endpoint for case in FORMS} | WITHOUT_FIELDS | WITH_A_FILE


@each_form
def test_the_form_has_the_fields_of_the_table_and_is_accepted_with_good_values(
    case: FormCase, bench: Callable[[FormCase], Bench]
) -> None:
    opened = bench(case)
    main = opened.page().html.partition("<main")[2]
    shown = set(re.findall(r'<(?:input|button|select|textarea)\b[^>]*\bname="(\w+)"', main))
    assert shown == set(case.fields) | {"csrf_token"}
    _check_secrets(case, main)
    page = opened.send(opened.body())
    assert page.status in case.done, page.text
    assert opened.database.changes()


_FILLED_IN = {
    Kind.PASSWORD: {"type": "password", "autocomplete": "current-password"},
    Kind.NEW_PASSWORD: {"type": "password", "autocomplete": "new-password"},
    Kind.CODE: {"type": "text", "autocomplete": "one-time-code"},
}
"""ASVS 6.2.6 and 6.2.7. A recovery code is text that no browser should keep."""


def _check_secrets(case: FormCase, main: str) -> None:
    """Passwords are dots that a password manager fills in, codes what a phone offers; and no others are."""
    inputs = [dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag)) for tag in re.findall(r"<input\b[^>]*>", main)]
    seen = {each["name"]: each for each in inputs if "name" in each}
    for name, kind in case.fields.items():
        if kind in _FILLED_IN:
            assert _FILLED_IN[kind].items() <= seen[name].items(), name
        elif name in seen:
            assert seen[name].get("type") != "password", name
            assert seen[name].get("autocomplete") not in ("current-password", "new-password", "one-time-code"), name


@each_form
def test_no_bad_value_gets_through_or_breaks_anything(
    case: FormCase, bench: Callable[[FormCase], Bench], figure: Figure
) -> None:
    opened = bench(case)
    for number, (name, kind) in enumerate(case.fields.items(), FORMS.index(case)):
        for value in BASE[number % _SHARE :: _SHARE]:
            opened.try_value(name, kind, value)
            if kind is Kind.NEW_PASSWORD and value.text and not value.whole_body:
                opened.try_value(name, kind, padded(value))
    figure("D15 bad values in forms", bad_inputs=opened.sent, answers_5xx=opened.broken, faults=len(opened.faults))
    opened.check()
