"""Compiled templates are kept in the instance folder, so that a worker need not compile each page before it shows it.

What is read from there is run. So each file is signed with a key derived from the signing key: one that somebody else
wrote, that belongs to another template, or that was cut off, is not looked into, and the template compiled anew.
"""

import hashlib
import hmac
import marshal
import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from flask import Flask
from jinja2 import Environment
from jinja2 import __version__ as jinja_version
from jinja2.bccache import Bucket, BytecodeCache

from ..plumbing.runtime import runtime

FOLDER = "templates"
_SIGNATURE = hashlib.sha256().digest_size


def register(app: Flask) -> None:
    """Let the application's templates be kept."""
    settings, keys = runtime().settings, runtime().keys
    key = hmac.new(keys.signing.encode(), b"templates", hashlib.sha256).digest()
    app.jinja_env.bytecode_cache = _SignedCache(settings.instance / FOLDER, key)


class _SignedCache(BytecodeCache):
    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was compiled of this very text, by this Python and this Jinja; nothing else."""
        with suppress(OSError):
            kept = (self._folder / bucket.key).read_bytes()
            signature, compiled = kept[:_SIGNATURE], kept[_SIGNATURE:]
            if hmac.compare_digest(signature, self._signature(bucket, compiled)):
                bucket.code = marshal.loads(compiled)  # noqa: S302  # our own: it is signed

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, whole or not at all. Where that cannot be done, the page is there all the same."""
        compiled = marshal.dumps(bucket.code)
        draft = self._folder / f"{bucket.key}.{os.getpid()}-{get_ident()}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            draft.touch(mode=0o600)
            draft.write_bytes(self._signature(bucket, compiled) + compiled)
            draft.replace(self._folder / bucket.key)
        except OSError:
            with suppress(OSError):
                draft.unlink()

    def _signature(self, bucket: Bucket, compiled: bytes) -> bytes:
        made_by = (bucket.key, bucket.checksum, jinja_version, sys.version, *_ways(bucket.environment))
        return hmac.new(self._key, repr(made_by).encode() + b"\x00" + compiled, hashlib.sha256).digest()


def _ways(of: Environment) -> tuple[object, ...]:
    """In what the same text can be compiled differently."""
    escapes = getattr(of.autoescape, "__qualname__", of.autoescape)
    return escapes, of.trim_blocks, of.lstrip_blocks, of.keep_trailing_newline, of.optimized, sorted(of.extensions)
