"""Sending a stored file: whole or in part, only when it has changed, and never as a page that a browser would run."""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import IO

from flask import request
from flask.wrappers import Response
from werkzeug.http import parse_date, quote_etag
from werkzeug.wsgi import wrap_file

from ..rules.byte_ranges import Part, Unsatisfiable, part_of
from ..rules.file_names import disposition

_CHUNK = 64 * 1024
_NEVER_A_PAGE = "sandbox; default-src 'none'"


def send(
    file: IO[bytes], *, name: str, digest: str, size: int, changed_at: datetime, for_everybody: bool
) -> Response:
    """The file as a download, closed when it is sent. Whether it changed is asked by its digest, or by the time.

    `for_everybody`: browsers and proxies may keep it, but ask each time whether it is still to be had. What is not
    for everybody is kept by nobody, as all pages are.
    """
    response = Response(mimetype="application/octet-stream", direct_passthrough=True)
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Security-Policy"] = _NEVER_A_PAGE
    if for_everybody:
        response.cache_control.no_cache = True
    response.set_etag(digest)
    response.last_modified = changed_at
    response.make_conditional(request.environ)
    del response.headers["Date"]  # the server sets it
    response.headers["Accept-Ranges"] = "bytes"
    if response.status_code != HTTPStatus.OK:  # not modified, or another one than was wanted
        file.close()
        return response
    response.content_length = size
    if request.method == "HEAD":
        file.close()
        return response
    return _with_body(response, file, size, _asked_part(digest, changed_at, size))


def _asked_part(digest: str, changed_at: datetime, size: int) -> Part | Unsatisfiable | None:
    """The part that is asked for; the whole where a part would be one of another version (`If-Range`)."""
    wanted = request.headers.get("If-Range")
    if wanted and wanted != quote_etag(digest) and parse_date(wanted) != changed_at.replace(microsecond=0):
        return None
    return part_of(request.headers.get("Range"), size)


def _with_body(response: Response, file: IO[bytes], size: int, part: Part | Unsatisfiable | None) -> Response:
    match part:
        case None:
            response.response = wrap_file(request.environ, file, _CHUNK)
        case Part(start, stop):
            response.status_code = HTTPStatus.PARTIAL_CONTENT
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
            response.content_length = stop - start
            response.response = _Piece(file, start, stop)
        case Unsatisfiable():
            file.close()
            response.status_code = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            response.headers["Content-Range"] = f"bytes */{size}"
            response.content_length = 0
    return response


class _Piece:
    """Bytes of a file from one place to another, in chunks; the file is closed with it."""

    def __init__(self, file: IO[bytes], start: int, stop: int) -> None:
        self._file = file
        self._left = stop - start
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := self._file.read(min(self._left, _CHUNK))):
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()
