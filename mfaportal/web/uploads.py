"""Uploads: where files arrive, how large a request may be that brings one, and how many come in at once.

Nothing here is true of a request before the gate has let it through to an endpoint that takes uploads: until then its
body is at most a form's, and is held in memory.
"""

import shutil
from io import BytesIO
from threading import BoundedSemaphore
from typing import IO, Any

from flask import Flask, Request, current_app, g, request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge, ServiceUnavailable

from ..plumbing.file_store import FileStore
from ..plumbing.runtime import runtime
from ..rules.file_names import FILE_MAX
from . import body

AT_ONCE = 2
"""Uploads that a worker takes at the same time, of the threads that passwords leave free (`plumbing.machine`)."""
RETRY_AFTER = 30
"""Seconds until somebody may try again whose upload found no place."""
SPARE = 256 * 1024 * 1024
"""Bytes of the disk that no upload takes: log-ins and events need room, too."""
_LARGEST = "200 MB"
_PARTS = 50
"""More than the form has fields; each file among them is one on the disk."""
_TEXT_MAX = 256 * 1024
"""Bytes of a part that is no file. Werkzeug also holds a piece of the body against it, which is 64 kB long."""
_SLOTS = "mfaportal_upload_slots"


class UploadTooLarge(RequestEntityTooLarge):
    description = f"A file may have at most {_LARGEST}. Nothing was saved."


class NoLength(LengthRequired):
    description = "A file has to be sent with its length, as browsers do. Nothing was saved."


class TooManyUploads(ServiceUnavailable):
    description = "Other files are being sent at the moment. Nothing was saved: try again in half a minute."

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER)


class DiskFull(ServiceUnavailable):
    description = "There is no room for this file at present. Nothing was saved: tell whoever runs this portal."

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_AFTER)


class PortalRequest(Request):
    """A request whose files are spooled in the instance folder, and are gone when it ends, however it ends."""

    spools = False
    """Whether the gate has opened the way for files."""

    def _get_file_stream(self, *_about: Any, **_more: Any) -> IO[bytes]:
        """Where the next file of the form goes; Werkzeug asks."""
        if not self.spools:
            return BytesIO()
        file = FileStore(runtime().settings.instance).spool()
        self._spooled.append(file)
        return file

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._spooled: list[IO[bytes]] = []

    def close(self) -> None:
        super().close()
        for file in self._spooled:
            file.close()


def register(app: Flask) -> None:
    app.request_class = PortalRequest
    app.extensions[_SLOTS] = BoundedSemaphore(AT_ONCE)
    app.teardown_request(_give_back)


def check() -> None:
    """Refuse what is too large even for a file, before it is known who asks. Nothing of it is read.

    Raises:
        RequestEntityTooLarge, LengthRequired: see there.
    """
    if not _carries_files():
        body.check()
    elif "HTTP_TRANSFER_ENCODING" in request.environ:
        raise NoLength
    elif (request.content_length or 0) > FILE_MAX + _form_max():
        raise UploadTooLarge


def let_in() -> None:
    """The gate has passed this request: from here on its files may come.

    Raises:
        DiskFull: after it there would be too little room for anything else.
        TooManyUploads: as many as may be are on their way.
    """
    if not _carries_files():
        return
    if is_large():
        if _room() < (request.content_length or 0) + SPARE:
            raise DiskFull
        if not current_app.extensions[_SLOTS].acquire(blocking=False):
            raise TooManyUploads
        g.upload_slot = current_app.extensions[_SLOTS]
    request.max_content_length = FILE_MAX + _form_max()
    request.max_form_memory_size = _TEXT_MAX
    request.max_form_parts = _PARTS
    if isinstance(request, PortalRequest):
        request.spools = True


def _room() -> int:
    """Bytes that are free where uploads arrive."""
    return shutil.disk_usage(runtime().settings.instance).free


def is_large() -> bool:
    """Whether more is on its way than any form without a file."""
    return _carries_files() and (request.content_length or 0) > _form_max()


def _give_back(_error: BaseException | None) -> None:
    slot = g.pop("upload_slot", None)
    if slot is not None:
        slot.release()


def _carries_files() -> bool:
    return request.mimetype == "multipart/form-data"


def _form_max() -> int:
    return int(current_app.config["MAX_CONTENT_LENGTH"])
