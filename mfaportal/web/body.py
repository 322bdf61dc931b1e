"""The body of a request: how much of one is read, and what becomes of the rest."""

from io import BytesIO

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

_DRAIN = 32 * 1024 * 1024
_CHUNK = 64 * 1024


def check() -> None:
    """Refuse a body that is too large, or sent in broken chunks, before anything is made of it.

    Werkzeug measures a declared length only when the form is read, and cuts off without a word what comes in chunks.

    Raises:
        RequestEntityTooLarge: it is longer than any form of the portal.
        BadRequest: the chunks cannot be told apart, or the client is gone.
    """
    environ = request.environ
    in_chunks = "HTTP_TRANSFER_ENCODING" in environ
    if not in_chunks and "CONTENT_LENGTH" not in environ:
        return
    longest = request.max_content_length or 0
    if (request.content_length or 0) > longest:
        raise RequestEntityTooLarge
    if in_chunks:
        try:
            body = environ["wsgi.input"].read(longest + 1)
        except (ParseException, OSError) as error:
            raise BadRequest from error
        if len(body) > longest:
            raise RequestEntityTooLarge
        environ["wsgi.input"] = BytesIO(body)


def drain() -> None:
    """Read the rest, within bounds: a client that still sends would never see the answer."""
    stream = request.environ["wsgi.input"]
    left = _DRAIN if request.content_length is None else min(request.content_length, _DRAIN)
    try:
        while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
            left -= len(chunk)
    except (ParseException, OSError):
        return
