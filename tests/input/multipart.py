"""Multipart bodies, put together by hand so that they may also be wrong."""

BOUNDARY = "b0undary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return body + b"--" + boundary.encode() + b"--\r\n"


def text_part(name: str, value: str, *, content_type: str = "") -> bytes:
    return _part(f'form-data; name="{name}"', value, content_type)


def file_part(name: str, value: str, *, content_type: str = "text/plain") -> bytes:
    return _part(f'form-data; name="{name}"; filename="{name}.txt"', value, content_type)


def _part(disposition: str, value: str, content_type: str) -> bytes:
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"Content-Disposition: {disposition}\r\n{kind}\r\n{value}".encode()
