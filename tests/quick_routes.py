"""Thousands of apps are made with the same routes: what Werkzeug compiles for a route is compiled once a process."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile = Rule._compile_builder
_compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


def _compile_once(rule: Any, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """The function that builds a URL takes the rule as its argument, so rules of the same text may share it."""
    if rule.defaults:
        return _compile(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


def install() -> None:
    Rule._compile_builder = _compile_once  # type: ignore[method-assign, assignment]
