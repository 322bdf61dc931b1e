"""The names of a guarded host's cookies."""

import pytest

from mfaportal.rules.cookie_names import on_guarded_host


@pytest.mark.parametrize(
    ("scheme", "host", "name"),
    [
        ("https", "data.example.org", "__Host-mfaportal-pass"),
        ("https", "data.example.org:8443", "__Host-mfaportal-pass-8443"),
        ("http", "localhost", "mfaportal-pass"),
        ("http", "localhost:8001", "mfaportal-pass-8001"),
        ("http", "[::1]", "mfaportal-pass"),
        ("http", "[::1]:8001", "mfaportal-pass-8001"),
    ],
)
def test_the_scheme_and_the_port_are_in_the_name(scheme: str, host: str, name: str) -> None:
    assert on_guarded_host("pass", scheme, host) == name
