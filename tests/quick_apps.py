"""Thousands of apps are made for the tests, all alike: what is compiled for one serves them all.

Werkzeug takes each route apart and compiles a function for it, SQLAlchemy compiles each statement once an engine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from tests.databases import on_postgresql


@dataclass(frozen=True)
class _Route:
    """What Werkzeug makes of a route's text. It is read only from then on, and so are its converters."""

    parts: list[Any]
    trace: list[tuple[bool, str]]
    converters: dict[str, Any]
    arguments: frozenset[str]
    build: Callable[..., tuple[str, str]]
    build_unknown: Callable[..., tuple[str, str]]


COMPILE = Rule.compile
"""Werkzeug's own."""
_routes: dict[tuple[object, ...], _Route] = {}
_statements: LRUCache[Any, Any] = LRUCache(2000)


def _compile_once(rule: Any) -> None:
    """The functions that build a URL take the rule as their argument, so rules of the same text may share them."""
    if rule.defaults:
        COMPILE(rule)
        return
    kinds = tuple(rule.map.converters.values())
    key = (rule.rule, rule.host, rule.subdomain, rule.map.host_matching, rule.merge_slashes, kinds)
    known = _routes.get(key)
    if known is None:
        COMPILE(rule)
        build, build_unknown = (method.__func__ for method in (rule._build, rule._build_unknown))
        arguments = frozenset(rule.arguments)
        _routes[key] = _Route(rule._parts, rule._trace, rule._converters, arguments, build, build_unknown)
        return
    rule._parts, rule._trace, rule._converters = known.parts, known.trace, known.converters
    rule.arguments |= known.arguments
    rule._build, rule._build_unknown = (method.__get__(rule, None) for method in (known.build, known.build_unknown))


def install() -> None:
    """For this process."""
    Rule.compile = _compile_once  # type: ignore[method-assign, assignment]
    if on_postgresql():
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415  # as the driver

        from tests import kept_connections  # noqa: PLC0415  # only there is a driver needed

        kept_connections.install()
        _all_alike(PGDialect_psycopg)
    _all_alike(SQLiteDialect_pysqlite)


def _all_alike(dialect: Any) -> None:
    """All of a kind count as one: a compiled statement is found by its dialect."""
    dialect.__hash__ = lambda _self: 1
    dialect.__eq__ = lambda _self, other: type(other) is dialect


def share_statements(engine: Engine) -> None:
    engine._compiled_cache = _statements
