"""The configurations under deploy/, as an operator would change them: the placeholders that they name, no line more.

A placeholder that is not there any more is an error, so the tests never run something else than what is shipped.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mfaportal.plumbing.config import ROOT
from tests.proxies.certificates import Certificates

DEPLOY = ROOT / "deploy"
PORTAL_HOST = "portal.example.test"
SNIPPETS = ["mfaportal-guard.conf", "mfaportal-question.conf", "mfaportal-application.conf"]
_NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
daemon off;
{user}
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include mfaportal-http.conf;
    include mfaportal-site.conf;
}}
"""
_CADDY = """admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
	servers {
		protocols h1 h2
	}"""


@dataclass(frozen=True)
class Site:
    """What stands behind the proxy: guarded hosts by name with the port of the application; the rest is the same."""

    port: int
    http_port: int
    portal_port: int
    applications: Mapping[str, int]
    certificates: Certificates


def changed(text: str, changes: Mapping[str, str]) -> str:
    """`text` with each placeholder replaced, wherever it stands.

    Raises:
        AssertionError: one of them stands nowhere.
    """
    for placeholder, value in changes.items():
        assert placeholder in text, f"the configuration has no {placeholder!r} any more"
        text = text.replace(placeholder, value)
    return text


def nginx_configuration(folder: Path, site: Site, user: str = "") -> Path:
    """As under /etc/nginx; the main file, which Debian brings there, is the tests' own."""
    (folder / "snippets").mkdir(parents=True)
    for name in SNIPPETS:
        shutil.copy(DEPLOY / "nginx" / name, folder / "snippets" / name)
    once = (DEPLOY / "nginx" / "mfaportal-http.conf").read_text()
    (folder / "mfaportal-http.conf").write_text(changed(once, {"127.0.0.1:8000": f"127.0.0.1:{site.portal_port}"}))
    *first, guarded = re.split(r"(?m)^(?=server \{)", (DEPLOY / "nginx" / "mfaportal-site.conf").read_text())
    assert "server_name data.example.org;" in guarded
    own = changed(
        "".join(first),
        {
            "listen 80;": f"listen 127.0.0.1:{site.http_port};",
            "listen 443 ": f"listen 127.0.0.1:{site.port} ",
            "/etc/letsencrypt/live/portal.example.org/fullchain.pem": str(site.certificates.chain),
            "/etc/letsencrypt/live/portal.example.org/privkey.pem": str(site.certificates.key),
            "portal.example.org": PORTAL_HOST,
            "data.example.org": " ".join(site.applications),
        },
    )
    blocks = [
        changed(
            guarded,
            {
                "listen 443 ": f"listen 127.0.0.1:{site.port} ",
                "/etc/letsencrypt/live/data.example.org/fullchain.pem": str(site.certificates.chain),
                "/etc/letsencrypt/live/data.example.org/privkey.pem": str(site.certificates.key),
                "data.example.org": host,
                "127.0.0.1:8001": f"127.0.0.1:{port}",
            },
        )
        for host, port in site.applications.items()
    ]
    (folder / "mfaportal-site.conf").write_text(own + "\n".join(blocks))
    main = folder / "nginx.conf"
    main.write_text(_NGINX.format(folder=folder, user=user))
    return main


def caddy_configuration(folder: Path, site: Site) -> Path:
    """Caddy's two files."""
    folder.mkdir(parents=True)
    snippet = (DEPLOY / "caddy" / "mfaportal.caddy").read_text()
    (folder / "mfaportal.caddy").write_text(changed(snippet, {"127.0.0.1:8000": f"127.0.0.1:{site.portal_port}"}))
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    start = text.index("\ndata.example.org {")
    first, guarded = text[:start], text[start:]
    own = changed(
        first,
        {
            "email you@example.org": _CADDY,
            "# tls /etc/ssl/certs/example.org.pem /etc/ssl/private/example.org.key": (
                f"tls {site.certificates.chain} {site.certificates.key}"
            ),
            "\nportal.example.org {": f"\n{PORTAL_HOST}:{site.port} {{",
            "127.0.0.1:8000": f"127.0.0.1:{site.portal_port}",
        },
    )
    blocks = [
        changed(guarded, {"data.example.org {": f"{host}:{site.port} {{", "127.0.0.1:8001": f"127.0.0.1:{port}"})
        for host, port in site.applications.items()
    ]
    main = folder / "Caddyfile"
    main.write_text(own + "".join(blocks))
    return main
