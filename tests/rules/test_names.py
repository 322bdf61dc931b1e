import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfaportal.rules import names
from mfaportal.rules.names import APP_MAX, PERSON_MAX, PORTAL_MAX, clean_name, is_slug, key_of, slug_from


def test_the_longest_names_are_those_of_the_design() -> None:
    assert (APP_MAX, PERSON_MAX, PORTAL_MAX) == (64, 100, 80)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("My phone", "My phone"),
        ("  My   phone\t", "My phone"),
        ("cafe\u0301", "café"),
        ("Zoë's 📱", "Zoë's 📱"),
        ("東京", "東京"),
        ("اسم", "اسم"),
        ("x", "x"),
        ("x" * 64, "x" * 64),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("a\u00a0b", "a b"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_name_is_composed_and_trimmed(typed: str, name: str) -> None:
    assert clean_name(typed, 64) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "\u3000\u00a0",
        "x" * 65,
        "x" * 100_000,
        "nul\x00",
        "\x1b[31mred",
        "right\u202eleft",
        "\u2066isolated\u2069",
        "mark\u200e",
        "mark\u061c",
        "zero\u200bwidth",
        "word\u2060joiner",
        "\ufeffbom",
        "soft\u00adhyphen",
        "\u3164",
        "\u2800",
        "\ud800",
        "private\ue000",
        "unassigned\u0378",
    ],
)
def test_a_name_that_is_empty_long_or_holds_what_nobody_sees_is_refused(typed: str) -> None:
    assert clean_name(typed, 64) is None


def test_the_length_is_looked_at_before_anything_is_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "unicodedata", None)
    assert clean_name("\u0315\u0300" * 100_000, 64) is None


@given(st.text(max_size=140), st.integers(1, 100))
def test_a_cleaned_name_is_short_visible_and_stays_as_it_is(typed: str, longest: int) -> None:
    name = clean_name(typed, longest)
    if name is not None:
        assert 0 < len(name) <= longest
        assert name == name.strip()
        assert all(unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn") for char in name)
        assert clean_name(name, longest) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My Phone", "my phone"),
        ("STRASSE", "straße"),
        ("\uff46\uff55\uff4c\uff4c", "full"),
        ("\ufb01", "FI"),
        ("É", "é"),
    ],
)
def test_case_and_look_alike_forms_do_not_make_two_names(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_different_names_have_different_keys() -> None:
    assert key_of("phone") != key_of("phone 2")


@given(st.text(max_size=64))
def test_a_key_is_its_own_key(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("City data", "city-data"),
        ("  Räume & Plätze!  ", "raume-platze"),
        ("東京", "portal"),
        ("---", "portal"),
        ("a" * 80, "a" * 40),
        ("a" * 39 + " b", "a" * 39),
        ("../../etc", "etc"),
        ("New", "new-1"),
    ],
)
def test_a_portals_slug_is_made_of_its_name(name: str, slug: str) -> None:
    assert slug_from(name) == slug


@given(st.text(max_size=400))
def test_whatever_the_name_its_slug_can_stand_in_a_url(name: str) -> None:
    assert is_slug(slug_from(name))


@pytest.mark.parametrize("text", ["a", "0", "city-data", "a--b", "x" * 40])
def test_a_slug_is_lower_case_letters_digits_and_inner_hyphens(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize(
    "text", ["", "-", "-a", "a-", "A", "ä", "a b", "a_b", "a.b", "a/b", "a\n", "\uff11", "x" * 41, "a\x00", "new"]
)
def test_anything_else_is_no_slug(text: str) -> None:
    assert not is_slug(text)
