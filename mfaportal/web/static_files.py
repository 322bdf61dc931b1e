"""The files of the look: read once, compressed once, and kept by browsers for as long as their address is the same.

An address carries a digest of what the file holds, so under that address it never changes. Without the digest, or
with another one (of another version of the portal, while one takes the place of the other), it is kept for a minute.
"""

import hashlib
import zlib
from functools import cached_property
from pathlib import Path

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response

from ..plumbing.config import ROOT

FOLDER = ROOT / "static"
_NAME = "mfaportal_static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
"""What is sent at all: an editor's backup of a file is not."""
_FOR_GOOD = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=60"


class _File:
    """One file, as it was when the portal started."""

    def __init__(self, path: Path) -> None:
        self.plain = path.read_bytes()
        self.type = _TYPES[path.suffix]
        self.version = hashlib.sha256(self.plain).hexdigest()[:12]

    @cached_property
    def gzipped(self) -> bytes:
        """The same bytes on every host and at every start. Two requests at once may both make them."""
        return zlib.compress(self.plain, 9, wbits=16 + zlib.MAX_WBITS)


def register(app: Flask) -> None:
    """Read the files."""
    app.extensions[_NAME] = _read()


def version(name: str) -> str:
    """What the address of a file carries.

    Raises:
        KeyError: there is no such file.
    """
    return _files()[name].version


def answer(name: str) -> ResponseReturnValue:
    """The file of this name, compressed where the client takes it; 404 where there is none.

    A `Range` is not looked at: the whole file is as good an answer.
    """
    file = _files().get(name)
    if file is None:
        abort(404)
    gzip = request.accept_encodings.quality("gzip") > 0
    response = Response(file.gzipped if gzip else file.plain, content_type=file.type)
    response.headers["Cache-Control"] = _FOR_GOOD if request.args.get("v") == file.version else _SHORTLY
    response.headers["Vary"] = "Accept-Encoding"
    if gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{file.version}-gzip" if gzip else file.version)
    return response.make_conditional(request)


def _files() -> dict[str, _File]:
    """Read anew for each request while somebody works on them (`flask --debug`)."""
    kept: dict[str, _File] = current_app.extensions[_NAME]
    return _read() if current_app.debug else kept


def _read() -> dict[str, _File]:
    paths = (path for path in FOLDER.rglob("*") if path.suffix in _TYPES and path.is_file())
    return {path.relative_to(FOLDER).as_posix(): _File(path) for path in paths}
