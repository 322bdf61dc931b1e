"""The settings: read once from the environment (or a mapping), checked, and frozen.

A wrong or unsafe value raises `SettingError` with one sentence that names the setting. Files that settings point
to (signing key, key ring) are opened by `keys`, not here.
"""

import contextlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from .hosts import bracketed, is_host, is_loopback, stays_here
from .mail_url import sender_of, server_of

PREFIX = "MFAPORTAL_"
ROOT = Path(__file__).resolve().parents[2]
DEFAULT_NAME = "mfaportal"
DEFAULT_LISTEN = "127.0.0.1:8000"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KNOWN = frozenset(
    PREFIX + name
    for name in [
        "INSTANCE",
        "DATABASE_URL",
        "PUBLIC_URL",
        "LISTEN",
        "WORKERS",
        "SECRET_KEY",
        "KEYRING",
        "MAIL_URL",
        "MAIL_FROM",
        "TRUSTED_PROXIES",
        "NAME",
        "LOGIN_IDLE",
        "LOGIN_MAX_AGE",
    ]
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65535
_WORKERS_MAX = 64
_NAME_MAX = 80


class SettingError(ValueError):
    """A setting that the portal refuses to start with; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of pages.md, parsed. Durations are timedeltas, hosts are lower case."""

    instance: Path
    database_url: str
    public_url: str
    listen_host: str
    listen_port: int
    workers: int
    secret_key: str | None
    keyring: Path
    mail_url: str | None
    mail_from: str | None
    trusted_proxies: tuple[Network, ...]
    name: str | None
    login_idle: timedelta
    login_max_age: timedelta

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def on_loopback(self) -> bool:
        return is_loopback(self.listen_host)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """What a `Host` header may say, port included; a loopback listener answers to its own names too."""
        hosts = {urlsplit(self.public_url).netloc}
        if self.on_loopback:
            names = ("localhost", "127.0.0.1", bracketed(self.listen_host))
            port = "" if self.listen_port == _DEFAULT_PORTS["http"] else f":{self.listen_port}"
            hosts.update(name + port for name in names)
        return frozenset(hosts)

    @property
    def cookie_suffix(self) -> str:
        """Tells installations on one host apart: cookies do not know about ports."""
        port = urlsplit(self.public_url).port
        return f"-{port}" if port else ""


def read(environment: Mapping[str, str]) -> Settings:
    """Parse and check all settings of `environment`.

    Raises:
        SettingError: a value is wrong or unsafe, or a name that begins with MFAPORTAL_ is unknown.
    """
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in KNOWN:
            raise SettingError(f"{name} is no setting of this portal; the README lists them all.")
    values = {name: value.strip() for name, value in environment.items() if name in KNOWN and value.strip()}
    instance = Path(values.get(PREFIX + "INSTANCE", ROOT / "instance")).expanduser().absolute()
    host, port = _listen(values.get(PREFIX + "LISTEN", DEFAULT_LISTEN))
    public_url = _public_url(values.get(PREFIX + "PUBLIC_URL"), host, port)
    idle = _duration(values, "LOGIN_IDLE", "12h")
    max_age = _duration(values, "LOGIN_MAX_AGE", "24h")
    return Settings(
        instance=instance,
        database_url=_database_url(values.get(PREFIX + "DATABASE_URL"), instance),
        public_url=public_url,
        listen_host=host,
        listen_port=port,
        workers=_workers(values.get(PREFIX + "WORKERS", "2")),
        secret_key=values.get(PREFIX + "SECRET_KEY"),
        keyring=Path(values.get(PREFIX + "KEYRING", instance / "keyring")).expanduser().absolute(),
        mail_url=_mail_url(values.get(PREFIX + "MAIL_URL")),
        mail_from=_mail_from(values.get(PREFIX + "MAIL_FROM")),
        trusted_proxies=_networks(values.get(PREFIX + "TRUSTED_PROXIES", "")),
        name=_name(values.get(PREFIX + "NAME")),
        login_idle=idle,
        login_max_age=max_age,
    )


def make_instance_folder(settings: Settings) -> None:
    """Make the folder that everything lives in, open to its owner alone.

    Raises:
        SettingError: it cannot be made there, or is no folder.
    """
    try:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # somebody else's folder, lent to us: the files in it are ours
            settings.instance.chmod(0o700)  # git made the one of a clone, open to all
    except OSError as error:
        raise SettingError(
            f"MFAPORTAL_INSTANCE: {settings.instance} is no usable folder: {error.strerror}."
        ) from error


def _listen(value: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", value)
    if not match or not 0 < int(match[2]) <= _PORT_MAX or not is_host(match[1]):
        raise SettingError(f"MFAPORTAL_LISTEN must be an address and a port such as 127.0.0.1:8000, not {value!r}.")
    return match[1].strip("[]").lower(), int(match[2])


def _public_url(value: str | None, host: str, port: int) -> str:
    if value is None:
        if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not listened on
            raise SettingError(
                "MFAPORTAL_PUBLIC_URL must be set when MFAPORTAL_LISTEN names all addresses:"
                " the portal cannot know which of them people type."
            )
        value = f"http://{bracketed(host)}:{port}"
    try:
        parts = urlsplit(value)
        number = parts.port
    except ValueError as error:
        raise SettingError(f"MFAPORTAL_PUBLIC_URL is not a URL: {value!r}.") from error
    plain = is_host(parts.netloc.removesuffix(f":{number}")) and number != 0 and not set("?#") & set(value)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not plain:
        raise SettingError(f"MFAPORTAL_PUBLIC_URL must look like https://portal.example.org, not {value!r}.")
    if parts.path not in ("", "/"):
        raise SettingError("MFAPORTAL_PUBLIC_URL must not have a path: the portal lives at the root of its host.")
    if parts.scheme == "http" and not stays_here(parts.hostname):
        raise SettingError(
            "MFAPORTAL_PUBLIC_URL must begin with https:// unless it names this machine itself:"
            " passwords and codes would cross the network unencrypted."
        )
    suffix = "" if number is None or number == _DEFAULT_PORTS[parts.scheme] else f":{number}"
    return f"{parts.scheme}://{bracketed(parts.hostname)}{suffix}"


def _database_url(value: str | None, instance: Path) -> str:
    if value is None:
        return f"sqlite:///{instance / 'mfaportal.sqlite3'}"
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingError("MFAPORTAL_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://.")
    if value in ("sqlite:///", "sqlite:///:memory:"):
        raise SettingError("MFAPORTAL_DATABASE_URL must name a file: the workers cannot share a database in memory.")
    return value


def _workers(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 0 < int(value) <= _WORKERS_MAX:
        raise SettingError(f"MFAPORTAL_WORKERS must be a number from 1 to 64, not {value!r}.")
    return int(value)


def _mail_url(value: str | None) -> str | None:
    if value is not None:
        try:
            server_of(value)
        except ValueError as error:
            raise SettingError(f"MFAPORTAL_MAIL_URL {error}.") from error
    return value


def _mail_from(value: str | None) -> str | None:
    try:
        sender_of(value, "localhost")
    except ValueError as error:
        raise SettingError(f"MFAPORTAL_MAIL_FROM {error}.") from error
    return value


def _networks(value: str) -> tuple[Network, ...]:
    networks: list[Network] = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        try:
            network = ipaddress.ip_network(part, strict=False)
        except ValueError as error:
            raise SettingError(
                f"MFAPORTAL_TRUSTED_PROXIES holds {part!r}, which is no address or network."
            ) from error
        if network.prefixlen == 0:
            raise SettingError(
                "MFAPORTAL_TRUSTED_PROXIES must not trust every address: anybody could pose as anybody."
            )
        networks.append(network)
    return tuple(networks)


def _name(value: str | None) -> str | None:
    if value is not None and (len(value) > _NAME_MAX or not value.isprintable()):
        raise SettingError("MFAPORTAL_NAME must be at most 80 printable characters.")
    return value


def _duration(values: Mapping[str, str], name: str, default: str) -> timedelta:
    value = values.get(PREFIX + name, default)
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", value)
    if not match or int(match[1]) == 0:
        raise SettingError(f"{PREFIX}{name} must be a number and s, m, h or d, such as {default}, not {value!r}.")
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if not timedelta(minutes=1) <= duration <= timedelta(days=30):
        raise SettingError(f"{PREFIX}{name} must lie between one minute and 30 days, not {value!r}.")
    return duration
