"""Backups taken apart and put together again otherwise, as damage or somebody's hand would leave them."""

import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

Entries = list[tuple[tarfile.TarInfo, bytes]]


def members(content: bytes) -> dict[str, bytes]:
    """Everything in a tar, in its order."""
    return {info.name: content for info, content in entries(content)}


def entries(content: bytes) -> Entries:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return [(info, (tar.extractfile(info) or io.BytesIO()).read()) for info in tar]


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def write(path: Path, what: Entries) -> Path:
    with tarfile.open(path, "w") as tar:
        for info, content in what:
            tar.addfile(info, io.BytesIO(content))
    return path


def rewritten(path: Path, target: Path, changed: dict[str, bytes] | None = None, **facts: Any) -> Path:
    """The archive with other members, all of them in its manifest; `facts` are other facts of the manifest."""
    found = members(path.read_bytes())
    manifest = json.loads(found.pop("manifest.json"))
    found |= changed or {}
    listed = [
        {"name": name, "size": len(content), "sha256": sha256(content).hexdigest()} for name, content in found.items()
    ]
    text = json.dumps({**manifest, "members": listed, **facts}).encode()
    return write(target, [entry(name, content) for name, content in {**found, "manifest.json": text}.items()])
