"""Tags of fields are written by the portal itself, in the words of WTForms."""

import pytest
from wtforms.widgets.core import html_params

from mfaportal.web.forms import attributes


@pytest.mark.parametrize(
    "given",
    [
        {"value": "\"><script>alert('&amp;')</script>", "name": "a"},
        {"required": True, "disabled": False, "maxlength": 5, "id": "email", "aria-describedby": "email-help"},
        {"value": "", "class": "code", "autofocus": True},
        {},
    ],
)
def test_attributes_are_those_of_wtforms(given: dict[str, object]) -> None:
    assert attributes(**given) == html_params(**given)
