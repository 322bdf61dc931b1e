"""What nobody may guess: ten thousand draws of each kind never repeat, share no place, and come from the system."""

import ast
from collections.abc import Callable

import pytest

from mfaportal.domain.recovery_rows import draw_set
from mfaportal.plumbing.tokens import new_token
from mfaportal.rules.totp import new_secret
from tests.source import MODULES, tree

DRAWS = 10_000
LETTERS = 16
"""At least as many come up at each place: the last one of a token in Base64 holds four bits."""


@pytest.mark.parametrize(
    "draw",
    [lambda: (new_token(),), lambda: (new_secret(),), lambda: [code.replace("-", "") for code in draw_set()]],
    ids=["tokens", "set-up keys", "recovery codes"],
)
def test_ten_thousand_are_all_different_and_have_no_place_in_common(draw: Callable[[], list[str]]) -> None:
    """So neither beginning nor end is shared (ASVS 6.5.3 and 7.2.3)."""
    drawn: list[str] = []
    while len(drawn) < DRAWS:
        drawn += draw()
    assert len(set(drawn)) == DRAWS
    assert len({len(each) for each in drawn}) == 1
    assert min(len(set(letters)) for letters in zip(*drawn, strict=True)) >= LETTERS


def test_nothing_is_drawn_from_a_generator_that_can_be_foreseen() -> None:
    """`secrets`, and pyotp and cryptography over it, ask the operating system; `random` and clocks do not."""
    foreseen = {"random", "uuid", "numpy"}
    guilty = {
        path.name: name
        for path in MODULES
        for node in ast.walk(tree(path))
        for name in _imported(node)
        if name.partition(".")[0] in foreseen
    }
    assert guilty == {}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
