"""What ARCHITECTURE.md promises of the code's shape and no linter of `make check` holds. No rule has an exception."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfaportal.plumbing.config import ROOT
from tests.source import MODULES, PACKAGE, Function, calls, functions, operations, tree

LINES_OF_A_FILE = 250
LINES_OF_A_FUNCTION = 40


def _place(path: Path, node: Function | None = None) -> str:
    return f"{path.relative_to(ROOT)}{f':{node.lineno} {node.name}' if node else ''}"


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 50
    assert len(operations()) > 20


def test_no_file_is_longer_than_250_lines() -> None:
    lengths = {_place(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    lengths = {
        _place(path, function): (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        for function in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FUNCTION} == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [_place(path) for path in MODULES if not ast.get_docstring(tree(path))] == []


def test_only_the_database_module_commits() -> None:
    committing = {_place(path) for path in MODULES if {"commit", "begin_nested"} & set(calls(tree(path)))}
    assert committing == {"mfaportal/plumbing/db.py"}


def test_the_caller_comes_first_in_every_function_that_opens_a_transaction() -> None:
    firsts = {name: next(iter(function.args.args), None) for name, function in operations().items()}
    assert {name: first and first.arg for name, first in firsts.items() if not first or first.arg != "caller"} == {}


def test_no_operationcalls_an_operation_inside_its_transaction() -> None:
    known = operations()
    inside = {
        (operation, called)
        for operation, function in known.items()
        for block in ast.walk(function)
        if isinstance(block, ast.With) and any("transaction" in calls(item.context_expr) for item in block.items)
        for statement in block.body
        for called in _qualified(statement, operation.partition(".")[0])
        if called in known
    }
    assert inside == set()


def _qualified(node: ast.AST, module: str) -> Iterator[str]:
    """What is called in `node`, with its module: `logins.touch` wherever it is called from."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            match call.func:
                case ast.Name(id=name):
                    yield f"{module}.{name}"
                case ast.Attribute(value=ast.Name(id=other), attr=name):
                    yield f"{other}.{name}"


@pytest.mark.parametrize("layer", ["domain", "models"])
def test_below_the_web_nobody_asks_flask_for_the_request_or_the_app(layer: str) -> None:
    forbidden = {"request", "current_app", "g", "session"}
    for path in sorted((PACKAGE / layer).rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module == "flask":
                assert not forbidden & {name.name for name in node.names}, _place(path)


@pytest.mark.parametrize("layer", ["web", "cli"])
def test_the_upper_layer_opens_no_transaction_and_writes_no_rows(layer: str) -> None:
    writing = {"transaction", "add_all", "merge", "flush", "commit", "execute", "scalars", "scalar"}
    guilty = {
        _place(path): found
        for path in sorted((PACKAGE / layer).rglob("*.py"))
        if (found := writing & set(calls(tree(path))))
    }
    assert guilty == {}
