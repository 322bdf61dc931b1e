"""Thousands of apps are made for the tests, all alike: what is compiled for one serves them all.

Werkzeug compiles a function for each route, SQLAlchemy each statement once an engine.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

_compile = Rule._compile_builder
_builders: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
_statements: LRUCache[Any, Any] = LRUCache(2000)


def _compile_once(rule: Any, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """The function that builds a URL takes the rule as its argument, so rules of the same text may share it."""
    if rule.defaults:
        return _compile(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _builders:
        _builders[key] = _compile(rule, append_unknown)
    return _builders[key]


def install() -> None:
    """For this process. All dialects of SQLite count as one: a compiled statement is found by its dialect."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign, assignment]
    SQLiteDialect_pysqlite.__hash__ = lambda _self: 1  # type: ignore[method-assign, assignment]
    SQLiteDialect_pysqlite.__eq__ = lambda _self, other: isinstance(  # type: ignore[method-assign]
        other, SQLiteDialect_pysqlite
    )


def share_statements(engine: Engine) -> None:
    engine._compiled_cache = _statements
