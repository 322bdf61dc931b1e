"""The systemd units: what systemd itself finds in them, and that the portal takes the settings beside them."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from mfaportal.plumbing.config import ROOT, read
from tests.plugins.tools import tool
from tests.proxies.deployed import DEPLOY, changed

FOLDER = DEPLOY / "systemd"
SERVICES = ["mfaportal.service", "mfaportal-backup.service"]
UNITS = [*SERVICES, "mfaportal-backup.timer"]
EXPOSURE = 15
"""Tenths, of a hundred: what `systemd-analyze security` may find at most."""


class Unit(configparser.RawConfigParser):
    """A unit; of what is said twice, the last."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), interpolation=None)
        self.read_string((FOLDER / name).read_text())

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _settings() -> dict[str, str]:
    lines = (FOLDER / "mfaportal.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_settings_are_those_that_the_portal_takes() -> None:
    settings = read(_settings())
    assert settings.public_url == "https://portal.example.org"
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32"]
    assert str(settings.instance) == "/var/lib/mfaportal"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_write_to_its_own_folder_and_has_no_privilege(name: str) -> None:
    service = Unit(name)["Service"]
    assert service["User"] == service["Group"] == "mfaportal"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == service["ProtectHome"] == "yes"
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""
    assert service["StateDirectory"].split()[0] == "mfaportal"
    assert service["UMask"] == "0077"
    assert service["WorkingDirectory"] == "/opt/mfaportal"
    assert "ReadWritePaths" not in service


def test_the_backup_is_as_closed_as_the_portal() -> None:
    own = {"Type", "Restart", "RestartSec", "TimeoutStartSec", "TimeoutStopSec", "KillMode", "Environment"}
    portal, backup = (
        {key: value for key, value in Unit(name)["Service"].items() if key not in own} for name in SERVICES
    )
    for service in (portal, backup):
        for key in ("ExecStart", "ExecStartPost", "StandardInput", "StandardOutput", "StateDirectory"):
            service.pop(key, None)
    assert portal == backup


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_nothing_wrong_and_little_exposed(tmp_path: Path) -> None:
    for name in UNITS:
        text = (FOLDER / name).read_text()
        here = changed(text, {"/opt/mfaportal": str(ROOT)}) if name in SERVICES else text
        (tmp_path / name).write_text(here.replace(f"{ROOT}/.venv/bin/python", sys.executable))
    units = [str(tmp_path / name) for name in UNITS]
    analyze = tool("systemd-analyze")
    verified = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    for name in SERVICES:
        security = [analyze, "security", "--offline=yes", f"--threshold={EXPOSURE}", str(tmp_path / name)]
        found = subprocess.run(security, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout[-300:]
