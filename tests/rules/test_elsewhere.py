"""Pages of another origin may read nothing and change nothing with a visitor's pass."""

import pytest

from mfaportal.rules.elsewhere import acts_from_elsewhere

OWN = "https://data.example.org"


@pytest.mark.parametrize(
    ("method", "web_socket", "site", "origin", "elsewhere"),
    [
        ("GET", False, "cross-site", "https://evil.example", False),
        ("HEAD", False, "same-site", None, False),
        ("OPTIONS", False, "cross-site", "https://evil.example", False),
        ("POST", False, "same-origin", OWN, False),
        ("POST", False, "none", None, False),
        ("POST", False, "same-site", "https://files.example.org", True),
        ("POST", False, "cross-site", OWN, True),
        ("DELETE", False, "", None, True),
        ("POST", False, None, OWN, False),
        ("POST", False, None, None, False),
        ("POST", False, None, "null", False),
        ("POST", False, None, "https://files.example.org", True),
        ("PATCH", False, None, "http://data.example.org", True),
        ("PUT", False, None, "https://data.example.org:444", True),
        ("GET", True, "same-origin", OWN, False),
        ("GET", True, "same-site", OWN, True),
        ("GET", True, None, "https://files.example.org", True),
        ("GET", True, None, None, False),
    ],
)
def test_who_acts_from_elsewhere(
    method: str, web_socket: bool, site: str | None, origin: str | None, elsewhere: bool
) -> None:
    found = acts_from_elsewhere(method=method, web_socket=web_socket, own_origin=OWN, site=site, origin=origin)
    assert found is elsewhere
