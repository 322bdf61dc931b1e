"""What the documents say is there: settings, commands, pictures, links, tests and files that they name."""

import re

import click
import pytest
from flask import Flask

from mfaportal.plumbing.config import KNOWN, ROOT

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"]
README = (ROOT / "README.md").read_text()


def test_the_readme_names_every_setting_and_no_other() -> None:
    assert set(re.findall(r"MFAPORTAL_[A-Z_]+", README)) == KNOWN


def test_the_readme_names_every_command(app: Flask) -> None:
    context = click.Context(app.cli)
    for name in app.cli.list_commands(context):
        command = app.cli.get_command(context, name)
        assert command is not None
        names = command.commands if isinstance(command, click.Group) else {"": command}
        for below in names:
            assert re.search(rf"`(?:{name} )?{below or name}\b", README), f"{name} {below}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_points_to_is_there(document: str) -> None:
    text = (ROOT / document).read_text()
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    targets += re.findall(r"`((?:tests|rules|domain|models|plumbing|web|templates|bench)/[\w./]+)`", text)
    for target in targets:
        bases = (ROOT, ROOT / "mfaportal", ROOT / "tests")
        assert any((base / target).exists() for base in bases), f"{document} names {target}"


def test_every_test_that_a_requirement_names_is_there() -> None:
    named = re.findall(r"`(?:tests/)?((?:\w+/)?test_\w+\.py)(?:::(test_\w+))?`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 100
    for file, name in named:
        text = (ROOT / "tests" / file).read_text()
        assert not name or f"def {name}(" in text, f"{file} has no {name}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_is_left_to_be_filled_in(document: str) -> None:
    assert not re.search(r"@@|\bTODO\b|\bTBD\b", (ROOT / document).read_text())
