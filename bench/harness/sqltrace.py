"""WSGI wrapper that logs the SQL statements SQLite runs for each request.

Serves the application named by $BENCH_APP and appends one line of JSON a
request to $BENCH_SQL_LOG. It listens at the SQLite driver, below Django's and
SQLAlchemy's own query logs, so every system is counted the same way. One
single-threaded worker only: statements are told apart by time.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_WRITES = ("INSERT", "UPDATE", "DELETE")
_statements: list[str] = []
_serving = threading.get_ident()
_connect = sqlite3.connect


def _note(sql: str) -> None:
    """What other threads do beside the requests is not one of them.

    For each trigger that a write sets off, SQLite names the write once more: that is no further statement.
    """
    if threading.get_ident() == _serving and not (sql.startswith(_WRITES) and _statements[-1:] == [sql]):
        _statements.append(sql)


def _traced_connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = _connect(*args, **kwargs)
    connection.set_trace_callback(_note)
    return connection


# Before the application is imported.
sqlite3.connect = sqlite3.dbapi2.connect = _traced_connect  # type: ignore[assignment]

_module, _, _name = os.environ["BENCH_APP"].partition(":")
_application = getattr(import_module(_module), _name)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """The system's answer, and a line in the log."""
    _statements.clear()
    answer = _application(environ, start_response)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    line = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "statements": _statements,
    }
    with Path(os.environ["BENCH_SQL_LOG"]).open("a") as log:
        log.write(json.dumps(line) + "\n")
    return [body]
