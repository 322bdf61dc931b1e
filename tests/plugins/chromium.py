"""One Chromium for a whole run, whoever asks: Playwright allows one driver a process."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.plugins.tools import tool

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PATIENCE_MS = 15_000
"""A page takes a tenth of a second; machines with much else to do take longer."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The address bar's own pages, which nobody sees here, cost more for each new browser than the portal's.
    # Chromium heeds the last such list alone; the rest is what Playwright would switch off.
    (
        "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,"
        "AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,"
        "DestroyProfileOnBrowserClose,HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,"
        "NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning"
    ),
    # The guarded hosts of `tests/proxies`.
    "--host-resolver-rules=MAP *.example.test 127.0.0.1",
]


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415  # most runs of a few tests need none

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tool("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()
