"""What the gateway saw of a probe: read from its answer, and what is wrong with it, one sentence each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from ..plumbing import probes
from ..plumbing.runtime import runtime

METHOD, PROTO, HOST, URI = "X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"
FORWARD, NGINX = "/gateway/forward", "/gateway/nginx"
_HOLDS = {
    METHOD: "the method of the request (nginx: $request_method)",
    PROTO: "the scheme that the browser used (nginx: $scheme)",
    HOST: "Host as the browser sent it, with its port (nginx: $http_host)",
    URI: "path and query as the browser sent them (nginx: $request_uri)",
}


class State(StrEnum):
    SEEN = "seen"
    MISSING = "missing"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Header:
    """One of the four. `text` is what it says, or why it cannot be read."""

    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """`asked` is the endpoint, `peer` the address that asked, `known` whether the address is guarded by a portal."""

    asked: str
    peer: str
    trusted: bool
    headers: dict[str, Header]
    known: bool


def answer_to(probe: str, report: Report) -> dict[str, object]:
    """The report as the gateway answers it, signed for this probe."""
    said = asdict(report)
    return {"probe": said, "signature": probes.signature_of(runtime().keys, probe, _as_text(said))}


def read(probe: str, body: bytes) -> Report | None:
    """The report in the answer to a probe; None where there is none, or none of this portal's."""
    try:
        answer = json.loads(body)
        found, signature = answer["probe"], answer["signature"]
        if not probes.is_ours(runtime().keys, probe, _as_text(found), signature):
            return None
        headers = {name: Header(State(each["state"]), each["text"]) for name, each in found["headers"].items()}
        return Report(found["asked"], found["peer"], found["trusted"], headers, found["known"])
    except (ValueError, LookupError, TypeError):
        return None


def _as_text(said: object) -> str:
    return json.dumps(said, sort_keys=True)


def troubles(report: Report, expected: Mapping[str, str]) -> Iterator[str]:
    """What is wrong, where `expected` says what each header should have said."""
    if not report.trusted:
        yield (
            f"The proxy at {report.peer} is not trusted: put {report.peer} into MFAPORTAL_TRUSTED_PROXIES, and start"
            " the portal again."
        )
    wrong = [_wrong(name, report.headers[name], expected[name]) for name in _HOLDS]
    yield from filter(None, wrong)
    if not any(wrong) and not report.known:
        yield "The portal that is asked does not know the address: look whether the proxy asks another installation."
    if report.asked == NGINX:  # nginx keeps that answer to itself: this is another proxy
        yield (
            "The proxy shows the answer of /gateway/nginx as it is, so nobody is sent to log in: let it ask"
            " /gateway/forward."
        )


def _wrong(name: str, header: Header, right: str) -> str | None:
    if header == Header(State.SEEN, right):
        return None
    trouble = {
        State.SEEN: f'says "{header.text}" in place of "{right}"',
        State.MISSING: "is missing",
        State.MALFORMED: f"cannot be read ({header.text})",
    }[header.state]
    return f"{name} {trouble}: let the proxy send {_HOLDS[name]}."
