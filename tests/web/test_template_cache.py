"""Compiled templates in the instance folder: taken only if this installation wrote them for this very text."""

import marshal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment

from mfaportal.web import template_cache
from tests.browser_client import ORIGIN


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Names of the templates that are compiled from here on."""
    names: list[str | None] = []
    compile_it = Environment.compile

    def noted(self: Environment, source: Any, name: str | None = None, *rest: Any, **options: Any) -> Any:
        names.append(name)
        return compile_it(self, source, name, *rest, **options)

    monkeypatch.setattr(Environment, "compile", noted)
    return names


@pytest.fixture
def start(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """An app as it is served: with the portal's own cache rather than the tests'."""

    def started(**settings: str) -> Flask:
        app = make_app(**settings)
        with app.app_context():
            template_cache.register(app)
        return app

    return started


def _show(app: Flask) -> str:
    page = app.test_client().get("/log-in", base_url=ORIGIN)
    assert page.status_code == 200
    return page.text


def _kept(instance: Path) -> list[Path]:
    return sorted((instance / "templates").iterdir())


def test_what_one_worker_compiled_the_next_one_reads(
    start: Callable[..., Flask], instance: Path, compiled: list[str]
) -> None:
    _show(start())
    first = len(compiled)
    assert first >= 4
    assert len(_kept(instance)) == first
    assert {stat.S_IMODE(path.stat().st_mode) for path in _kept(instance)} == {0o600}
    assert stat.S_IMODE((instance / "templates").stat().st_mode) == 0o700
    _show(start())
    assert len(compiled) == first


def _signed_nothing(kept: list[Path]) -> None:
    for path in kept:
        path.write_bytes(bytes(32) + marshal.dumps(compile("raise SystemExit('foreign code runs')", "x", "exec")))


def _old_signature(kept: list[Path]) -> None:
    for path in kept:
        code = marshal.dumps(compile("raise SystemExit('foreign code runs')", "x", "exec"))
        path.write_bytes(path.read_bytes()[:32] + code)


def _another_template(kept: list[Path]) -> None:
    bodies = [path.read_bytes() for path in kept]
    for path, body in zip(kept, bodies[1:] + bodies[:1], strict=True):
        path.write_bytes(body)


def _cut_off(kept: list[Path]) -> None:
    for number, path in enumerate(kept):
        path.write_bytes(path.read_bytes()[: number * 20])


def _gone(kept: list[Path]) -> None:
    for path in kept:
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("spoil", [_signed_nothing, _old_signature, _another_template, _cut_off, _gone])
def test_what_is_not_its_own_is_not_looked_into(
    start: Callable[..., Flask], instance: Path, compiled: list[str], spoil: Callable[[list[Path]], None]
) -> None:
    page = _show(start())
    first = len(compiled)
    spoil(_kept(instance))
    assert _show(start()).partition("csrf")[0] == page.partition("csrf")[0]
    assert len(compiled) == 2 * first


def test_another_key_and_another_way_to_compile_do_not_take_it(
    start: Callable[..., Flask], compiled: list[str]
) -> None:
    _show(start())
    first = len(compiled)
    _show(start(MFAPORTAL_SECRET_KEY="another key 0123456789 abcdefghijklm"))
    assert len(compiled) == 2 * first
    app = start(MFAPORTAL_SECRET_KEY="another key 0123456789 abcdefghijklm")
    app.jinja_env.autoescape = False
    _show(app)
    assert len(compiled) == 3 * first


def test_a_changed_template_is_compiled_anew(start: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text("before")
    for text in ("before", "after"):
        (tmp_path / "one.html").write_text(text)
        app = start()
        app.jinja_loader.searchpath.append(str(tmp_path))  # type: ignore[union-attr]
        assert app.jinja_env.get_template("one.html").render() == text


def test_where_it_cannot_be_kept_the_page_is_there_all_the_same(start: Callable[..., Flask], instance: Path) -> None:
    (instance / "templates").write_text("a file in the way")
    assert "<form" in _show(start())
    assert (instance / "templates").read_text() == "a file in the way"
