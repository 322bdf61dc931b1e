"""The project's own source, read as syntax trees, for tests of its shape."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mfaportal.plumbing.config import ROOT

PACKAGE = ROOT / "mfaportal"
MODULES = sorted(PACKAGE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    """To be looked at only: all tests share it."""
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(node: ast.AST) -> Iterator[str]:
    """The names of what is called anywhere in `node`: `commit` for `session.commit()`."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            match call.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name


def operations() -> dict[str, Function]:
    """The functions of `domain` that open a transaction, by module and name."""
    return {
        f"{path.stem}.{function.name}": function
        for path in sorted((PACKAGE / "domain").glob("*.py"))
        for function in functions(path)
        if "transaction" in calls(function)
    }
