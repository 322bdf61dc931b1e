"""The templates as they stand in their files: nothing inline, nothing unused, no link to nowhere, inputs by macro."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, nodes

from mfaportal.plumbing.config import ROOT

TEMPLATES = ROOT / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
NOTHING_INLINE = {
    "an inline style": r"<style|\sstyle\s*=",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "a handler in an attribute": r"<[^>]*\son[a-z]+\s*=",
    "an address that is a script": r"javascript:",
    "unescaped output": r"\|\s*safe\b|autoescape|Markup",
}


def _source(name: str) -> str:
    return (TEMPLATES / name).read_text()


def _tree(name: str) -> nodes.Template:
    return Environment(autoescape=True).parse(_source(name), name)


def test_there_are_templates_to_look_at() -> None:
    assert {"base.html", "auth/log_in.html", "macros/form.html"} <= set(NAMES)


def test_every_template_compiles(app: Flask) -> None:
    for name in NAMES:
        app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_inline_and_everything_is_escaped(name: str) -> None:
    found = {what for what, pattern in NOTHING_INLINE.items() if re.search(pattern, _source(name), re.IGNORECASE)}
    assert not found


def test_nothing_hinders_pasting() -> None:
    """ASVS 6.2.7: no handler in an attribute, and no script that listens to what is typed, pasted or dropped."""
    pages = "\n".join(map(_source, NAMES))
    scripts = "\n".join(path.read_text() for path in (ROOT / "static").glob("*.js"))
    assert not re.findall(r"onpaste|oncopy|ondrop", pages, re.IGNORECASE)
    assert re.findall(r"addEventListener\(\s*([^,]+)", scripts) == ['"click"']
    assert not re.findall(r"paste|beforeinput|keydown|keypress|preventDefault|\bon[a-z]+\s*=", scripts)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("macros/")])
def test_all_inputs_come_from_the_macros(name: str) -> None:
    assert not re.findall(r"<(?:input|select|textarea|option)\b", _source(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_template_imports_it_uses(name: str) -> None:
    tree = _tree(name)
    imported = {found.target for found in tree.find_all(nodes.Import)}
    for found in tree.find_all(nodes.FromImport):
        imported |= {each if isinstance(each, str) else each[1] for each in found.names}
    assert imported <= {found.name for found in tree.find_all(nodes.Name) if found.ctx == "load"}


def test_every_macro_is_used_somewhere() -> None:
    everything = "\n".join(map(_source, NAMES))
    made = re.findall(r"{% macro (\w+)\(", everything)
    calls = re.sub(r"{% macro \w+", "", everything)
    assert [macro for macro in made if not re.search(rf"\b{macro}\(", calls)] == []


def test_every_template_is_used_somewhere() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "mfaportal" / "web").rglob("*.py"))
    everything = code + "\n".join(map(_source, NAMES))
    assert [name for name in NAMES if f'"{name}"' not in everything] == []


def test_links_lead_to_endpoints_that_exist(app: Flask) -> None:
    for name in NAMES:
        for start, is_whole in _endpoints(_tree(name)):
            known = [
                each for each in app.view_functions if each == start or (not is_whole and each.startswith(start))
            ]
            assert known, (name, start)


def _endpoints(tree: nodes.Template) -> Iterator[tuple[str, bool]]:
    """What stands first in each `url_for`: the endpoint, or its beginning where the rest is a variable."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "url_for":
            first = call.args[0]
            start = first.nodes[0] if isinstance(first, nodes.Concat) else first
            assert isinstance(start, nodes.Const)
            yield start.value, start is first


def test_pages_use_only_classes_that_the_stylesheet_knows() -> None:
    """And the stylesheet has none that no page uses. `code` is set by the form's own field."""
    sheet = Path(ROOT / "static" / "portal.css").read_text()
    known = set(re.findall(r"\.([a-z][a-z-]*)\b(?=[^{}]*{)", sheet))
    used = {"code", "good", "bad"}
    for name in NAMES:
        for value in re.findall(r'\sclass="([^"]*)"', _source(name)):
            used |= set(re.sub(r"{[{%].*?[%}]}", " ", value).split())
            used |= set(re.findall(r"{% if danger %} (danger){% endif %}", value))
    kinds = {kind for name in NAMES for kind in re.findall(r"{% block kind %}(\w+){%", _source(name))}
    assert used <= known | {"front"}
    assert known <= used | kinds
