import pytest

from mfaportal.rules.throttling import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.8"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
    ],
)
def test_ipv4_counts_by_address_and_ipv6_by_the_half_that_names_the_subscriber(address: str, network: str) -> None:
    assert network_of(address) == network


def test_what_is_no_address_is_not_taken_for_one() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        network_of("somewhere")
