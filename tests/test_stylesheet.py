"""The one stylesheet: its size, its layers, colours that old browsers read too, and contrast of what is not text."""

import re

import pytest

from mfaportal.plumbing.config import ROOT

SHEET = (ROOT / "static" / "portal.css").read_text()
LIGHT, DARK = 0, 1

TEXT = (
    ("ink", "paper"),
    ("ink", "ground"),
    ("ink", "accent-soft"),
    ("ink", "good-soft"),
    ("ink", "danger-soft"),
    ("quiet", "paper"),
    ("quiet", "ground"),
    ("quiet", "accent-soft"),
    ("accent", "paper"),
    ("accent", "ground"),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("danger", "paper"),
    ("danger", "danger-soft"),
    ("danger-ink", "danger"),
    ("good", "good-soft"),
)
"""Colour of letters and what they may stand on: 4.5 to 1 (WCAG 2.2, 1.4.3)."""
PARTS = (
    ("field-line", "paper"),
    ("field-line", "ground"),
    ("accent", "line"),
)
"""Edges of fields and cards, a meter's bar on its track: 3 to 1 (WCAG 2.2, 1.4.11)."""


def _declared(block: str) -> dict[str, list[str]]:
    """The colours of a block: one, or one for light and one for dark."""
    lines = re.findall(r"--([a-z-]+): ([^;]+);", block)
    return {name: re.findall(r"#[0-9a-f]{3,6}", value) for name, value in lines if "#" in value}


def _blocks() -> tuple[str, str]:
    before, _, behind = SHEET.partition("@supports (color: light-dark(#000, #fff)) {")
    return before, behind.partition("\n  }\n")[0]


PLAIN, SCHEMED = map(_declared, _blocks())


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str, scheme: int) -> float:
    lighter, darker = sorted((_luminance(SCHEMED[each][scheme]) for each in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert (_luminance("#fff") + 0.05) / (_luminance("#000") + 0.05) == pytest.approx(21)
    assert (_luminance("#ffffff") + 0.05) / (_luminance("#767676") + 0.05) == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("letters", "under"), TEXT)
def test_letters_stand_out(letters: str, under: str, scheme: int) -> None:
    assert _contrast(letters, under, scheme) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("part", "under"), PARTS)
def test_edges_and_meters_stand_out(part: str, under: str, scheme: int) -> None:
    assert _contrast(part, under, scheme) >= 3


def test_there_is_one_stylesheet_and_it_is_short() -> None:
    assert [path.name for path in (ROOT / "static").rglob("*.css")] == ["portal.css"]
    assert len(SHEET.splitlines()) < 450
    assert max(map(len, SHEET.splitlines())) <= 118


def test_old_browsers_stay_light_as_a_whole() -> None:
    """They drop `light-dark()`, so each colour has a plain value first, and the dark scheme is asked for with it."""
    plain, schemed = _blocks()
    assert SHEET.count("light-dark(") == schemed.count("light-dark(") + 1  # and the question itself
    assert {name: values[LIGHT] for name, values in SCHEMED.items()} == {
        name: value for name, [value] in PLAIN.items()
    }
    assert all(len(values) == 2 for values in SCHEMED.values())
    assert "color-scheme: light;" in plain
    assert "color-scheme: light dark;" in schemed


def test_every_rule_stands_in_a_layer() -> None:
    outside = re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL)
    depth = 0
    heads = []
    for part in re.findall(r"[^{}]*[{}]", outside):
        if part.endswith("{"):
            if depth == 0:
                heads.append(part.split(";")[-1].strip(" \n{"))
            depth += 1
        else:
            depth -= 1
    order = re.match(r"\s*@layer ([^;{]+);", outside)
    assert order
    assert heads == [f"@layer {name}" for name in order[1].split(", ")]


def test_every_property_is_used_and_known() -> None:
    made = set(re.findall(r"--([a-z-]+):", SHEET))
    assert made == set(re.findall(r"var\(--([a-z-]+)\)", SHEET))


def test_nothing_comes_from_elsewhere() -> None:
    assert not re.search(r"url\(|@import|https?:", SHEET)
