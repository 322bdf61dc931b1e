"""What the gateway takes a path for, and what nginx, Caddy and applications take it for: never less guarded there.

Each path goes through both proxies, which match it against their own locations and hand it on to an application. Of
one host the root is guarded by one portal, /open by another, /open/inner by a third; the first and the third have a
back office. A view says whose path it is, and whether it is back office; a judge says the same or refuses.
"""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from mfaportal.rules.gateway import Chosen, GuardedPlace, Malformed, choose, read_forwarded
from tests.plugins.figures import Figure
from tests.plugins.tools import tool
from tests.proxies.nasty_paths import nasty_paths
from tests.proxies.pipelines import BETWEEN, answers, echoing
from tests.server import free_port

pytestmark = pytest.mark.needs("nginx", "caddy")

HOST = "paths.test"
COUNT = 10_000
SEED = 5
Place = tuple[int, bool]
"""A portal, and whether it is its back office."""
Judge = Callable[[str], Place | None]
Views = dict[str, Place]
PLACES = (
    GuardedPlace(1, "http", "", ("/admin", "/-")),
    GuardedPlace(2, "http", "/open", ()),
    GuardedPlace(3, "http", "/open/inner", ("/admin",)),
)
NAMES = (b"X-View", b"X-Path")
NGINX = """
pid {folder}/nginx.pid; error_log {folder}/error.log crit; daemon off; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 1000000; large_client_header_buffers 4 16k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream application {{ server 127.0.0.1:{behind}; keepalive 4; keepalive_requests 1000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Path $uri;
  proxy_set_header X-View $view;
  map $uri $view {{
    ~*^/open/inner/admin(/|$) 3b;
    ~*^/open/inner(/|$) 3f;
    ~*^/open(/|$) 2f;
    ~*^/(admin|-)(/|$) 1b;
    default 1f;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://application; }}
  }}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
  persist_config off
  log {{
    level PANIC
  }}
}}
http://{host}:{port} {{
  @inner path /open/inner /open/inner/*
  @inner_back path /open/inner/admin /open/inner/admin/*
  @open path /open /open/*
  @back path /admin /admin/* /- /-/*
  route {{
    request_header X-Path {{http.request.uri.path}}
    request_header X-View 1f
    request_header @back X-View 1b
    request_header @open X-View 2f
    request_header @inner X-View 3f
    request_header @inner_back X-View 3b
    reverse_proxy 127.0.0.1:{behind}
  }}
}}
"""


@contextmanager
def _started(program: str, port: int, *arguments: str, folder: Path) -> Iterator[int]:
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / f"{program}.log").open("wb") as log:
        process = subprocess.Popen([tool(program), *arguments], env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                answers(port, HOST, [b"/"])
                break
            except (OSError, AssertionError):
                assert time.monotonic() < until, (folder / f"{program}.log").read_text()
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Views]]:
    """Every path, and how it is seen by whoever answers it at all."""
    folder = tmp_path_factory.mktemp("paths")
    paths = list(nasty_paths(COUNT, SEED))
    targets = [path.encode() for path in paths]
    with ExitStack() as stack:
        behind = stack.enter_context(echoing(*NAMES))
        answered = []
        for program, arguments, settings in (
            ("nginx", ("-e", str(folder / "start.log"), "-c"), NGINX),
            ("caddy", ("run", "--adapter", "caddyfile", "--config"), CADDY),
        ):
            port, file = free_port(), folder / f"{program}.conf"
            file.write_text(settings.format(folder=folder, host=HOST, port=port, behind=behind))
            stack.enter_context(_started(program, port, *arguments, str(file), folder=folder))
            answered.append((program, answers(port, f"{HOST}:{port}", targets)))
    return [
        (
            path,
            {name: place for program, all_of_it in answered for name, place in _views(program, *all_of_it[number])},
        )
        for number, path in enumerate(paths)
    ]


def _views(program: str, status: int, body: bytes) -> Iterator[tuple[str, Place]]:
    """The proxy's own, and those of the applications that may stand behind it."""
    if status != 200:
        return
    target, view, uri = body.split(BETWEEN)
    raw = target.decode("latin-1").partition("?")[0]
    yield f"{program}'s location", (int(view[:1]), view[1:] == b"b")
    yield f"{program}'s path", _place_of(uri.decode("latin-1"))
    yield f"the path behind {program}, as it is", _place_of(raw)
    yield f"the path behind {program}, as WSGI and ASGI have it", _place_of(unquote(raw))
    yield f"the path behind {program}, decoded there and here", _place_of(unquote(unquote(raw)))
    yield f"the path behind {program}, as a servlet has it", _place_of(unquote(_without_parameters(raw)))


def _without_parameters(raw: str) -> str:
    return "/".join(segment.partition(";")[0] for segment in raw.split("/"))


@cache
def _place_of(path: str) -> Place:
    """Dots resolved, slashes merged: what an application does that routes by segments. A format does not count."""
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            found = found[:-1]
        elif segment not in ("", "."):
            found.append(segment)
    for place in reversed(PLACES):
        prefix = place.prefix.split("/")[1:]
        if found[: len(prefix)] == prefix:
            rest = found[len(prefix) :]
            return place.portal_id, any(
                f"/{rest[0].split('.')[0]}" == back for back in place.back_office_paths if rest
            )
    raise AssertionError("the root is guarded")


def _gateway(path: str) -> Place | None:
    forwarded = read_forwarded("GET", "http", HOST, path)
    chosen = forwarded if isinstance(forwarded, Malformed) else choose(forwarded, PLACES)
    return (chosen.portal_id, chosen.back_office) if isinstance(chosen, Chosen) else None


def _disagreements(judge: Judge, seen: Sequence[tuple[str, Views]]) -> list[str]:
    """Where somebody is let in who takes the path for what another may see, or for less guarded than it is."""
    found = []
    for path, views in seen:
        verdict = judge(path)
        for name, place in views.items():
            if verdict is not None and place not in (verdict, (verdict[0], verdict[1] and place[1])):
                found.append(f"{path}: {verdict} to the gateway, {place} to {name}")
    return found


def test_no_proxy_and_no_application_takes_a_path_of_the_front_office_for_back_office_or_for_another_portals(
    seen: list[tuple[str, Views]], figure: Figure
) -> None:
    verdicts = [_gateway(path) for path, _ in seen]
    wrong = _disagreements(_gateway, seen)
    figure(
        "paths read by the gateway, nginx, Caddy and applications",
        paths=len(seen),
        front=sum(verdict is not None and not verdict[1] for verdict in verdicts),
        back=sum(verdict is not None and verdict[1] for verdict in verdicts),
        refused=verdicts.count(None),
        views=sum(len(views) for _, views in seen),
        disagreements=len(wrong),
    )
    assert len({path for path, _ in seen}) == COUNT
    assert min(verdicts.count(place) for place in ((1, False), (1, True), (2, False), (3, False), (3, True))) > 50
    assert sum(len(views) for _, views in seen) > 5 * COUNT
    assert not wrong, "\n".join(wrong[:40])


def _decodes(times: int, *, merges: bool = True, folds: bool = True) -> Judge:
    def judge(path: str) -> Place:
        raw = _without_parameters(path.partition("?")[0])
        for _ in range(times):
            raw = unquote(raw)
        raw = raw.lower() if folds else raw
        return (1, False) if not merges and "//" in raw else _place_of(raw)

    return judge


@pytest.mark.parametrize(
    "judge",
    [
        pytest.param(_decodes(0), id="decodes nothing"),
        pytest.param(_decodes(1), id="decodes once"),
        pytest.param(_decodes(2, merges=False), id="merges no slashes"),
        pytest.param(_decodes(2, folds=False), id="keeps capitals"),
    ],
)
def test_a_gateway_that_reads_a_path_in_one_way_only_is_found_out(
    seen: list[tuple[str, Views]], judge: Judge
) -> None:
    assert len(_disagreements(judge, seen)) > 10


@pytest.mark.parametrize(
    "path", ["/,/admin/users", "/public/page,/admin/users", "/?x=y,/admin/users", "/,/-/settings"]
)
def test_two_paths_in_two_lines_are_read_as_the_one_that_is_guarded_more(path: str) -> None:
    """A proxy that adds its own line to the client's; the server makes one of both, with a comma."""
    assert _gateway(path) in (None, (1, True))
