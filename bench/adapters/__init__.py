"""The systems under test, one module each with a class `Adapter`."""

from __future__ import annotations

from importlib import import_module

from bench.harness.adapter import Peer

#: In the order of the tables: floors first.
NAMES = (
    "hello",
    "bare",
    "mfaportal",
    "django_two_factor",
    "django_allauth",
    "flask_security",
    "privacyidea",
)


def load(names: list[str]) -> list[Peer]:
    """These systems, in the order of the tables."""
    return [import_module(f"bench.adapters.{name}").Adapter() for name in NAMES if name in names]
