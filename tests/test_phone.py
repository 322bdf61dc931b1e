from datetime import UTC, datetime

import pytest

from tests.phone import Phone, oathtool_code

KEY = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"


@pytest.mark.needs("oathtool")
@pytest.mark.parametrize("year", [1999, 2026, 2038, 2106])
def test_the_tests_phone_shows_what_oathtool_shows(year: int) -> None:
    now = datetime(year, 2, 8, 12, 34, 56, tzinfo=UTC)
    assert Phone(KEY).code(now) == oathtool_code(KEY, now)
