"""One look at an address over HTTP, as a browser would open it: what answers, or why nothing does.

No redirect is followed and no proxy of the environment is used: what is looked at is who answers first. Certificates
are judged by the system's store. http.client and ssl are loaded when the first address is looked at.
"""

from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlsplit

SECONDS = 5
"""For one look, from the name to the last byte: some servers send a byte now and then."""
_BODY_MAX = 64 * 1024
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case; of a doubled one the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing that is HTTP came back; `why` is half a sentence."""

    why: str


def look(url: str, *, cookie: str = "") -> Answer | NoAnswer:
    """Open an address, and wait no longer than five seconds for all of it."""
    found: list[Answer | NoAnswer] = []
    # In a thread of its own, for nothing else puts an end to a name server that says nothing.
    looking = Thread(target=lambda: found.append(_look(url, cookie)), daemon=True)
    looking.start()
    looking.join(SECONDS)
    return found[0] if found else NoAnswer(f"there is no answer within {SECONDS} seconds")


def _look(url: str, cookie: str) -> Answer | NoAnswer:
    import ssl  # noqa: PLC0415
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415

    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    here = "127.0.0.1" if name.endswith(".localhost") else name  # browsers know that, and not every name server
    headers = {"Accept": "text/html", "User-Agent": "mfaportal-doctor", **({"Cookie": cookie} if cookie else {})}
    headers["Host"] = parts.netloc
    connection = (
        HTTPSConnection(name, port, timeout=SECONDS, context=ssl.create_default_context())
        if parts.scheme == "https"
        else HTTPConnection(here, port, timeout=SECONDS)
    )
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read(_BODY_MAX))
    except (OSError, HTTPException) as error:
        return NoAnswer(_words_for(error, name, port))
    finally:
        connection.close()


def _words_for(error: Exception, name: str, port: int) -> str:
    """What is wrong with the way there."""
    import socket  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    match error:
        case socket.gaierror():
            return f"the name {name} does not resolve on this machine"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"what listens on port {port} does not speak TLS as it should"
        case TimeoutError():
            return f"there is no answer within {SECONDS} seconds"
        case ConnectionRefusedError():
            return f"nothing listens on port {port} of {name}"
        case OSError(strerror=str(words)) if not isinstance(error, ConnectionError):
            return f"the connection fails: {words}"
        case _:
            return f"what listens on port {port} answers with no HTTP"
