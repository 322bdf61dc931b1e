"""What every test may ask for: a fresh installation, people with stated rights, a clock that moves, a real server."""

import fcntl
import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from mfaportal import create_app
from mfaportal.plumbing import passwords
from mfaportal.plumbing.db import db
from mfaportal.plumbing.runtime import runtime
from tests import databases, quick_apps
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.faults.length import FULL
from tests.people import LIGHT, LIGHT_NOBODYS, Cast, seed
from tests.server import Server

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder of that name, in which pytest makes one of its own
_ENOUGH = 4 << 30

quick_apps.install()


def pytest_configure() -> None:
    """Keep the tests' installations in memory, where each commit's wait for the disk ends at once; and compiled code.

    `make faults` at full length stays on the disk, and so does whoever says `--basetemp`.
    """
    if not FULL and os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))
    # Hundreds of servers and commands are started, and each would compile the whole portal anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """What is there now stays to the end: to look through it for garbage again and again finds nothing."""
    gc.collect()
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: much of the time goes into waiting for the disk and for servers to start."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def blank_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty installation; copied for each test, for migrating takes longer than most of them.

    Whichever of xdist's workers comes first makes it for all.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / "blank.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "blank").exists():
            shutil.rmtree(folder / "making", ignore_errors=True)  # of a try that failed
            with databases.blank(folder / "making") as settings:
                app = create_app(settings)
                with app.app_context():
                    db.engine.dispose()
            (folder / "making").rename(folder / "blank")
    return folder / "blank"


@pytest.fixture
def instance(blank_instance: Path, tmp_path: Path) -> Iterator[Path]:
    with databases.installed(blank_instance, tmp_path / "instance") as folder:
        yield folder


@pytest.fixture
def database_url(instance: Path) -> str:
    """The address of the test's database."""
    return databases.url_of(instance)


@pytest.fixture
def settings_of() -> Callable[[Path], dict[str, str]]:
    """The settings of a further installation in any folder, with an empty database until the test ends."""
    return databases.settings_of


_FULL_HASHES = {"owasp_hashes", "server", "standing", "arena", "naive_arena", "deferred_arena"}
"""What asks for the product's own parameters: tests of them and of times, and whatever talks to a real server."""


@pytest.fixture
def owasp_hashes() -> None:
    """For tests that want password hashes to be as large and slow as they are."""


@pytest.fixture(autouse=True)
def light_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with a small memory: most of the tests' time would go into the OWASP parameters otherwise."""
    if not _FULL_HASHES & set(request.fixturenames):
        monkeypatch.setattr(passwords, "_hasher", LIGHT)
        monkeypatch.setattr(passwords, "_NOBODYS", LIGHT_NOBODYS)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once for all apps: most tests make one of their own."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def make_app(
    instance: Path, clock: MovableClock, compiled_templates: FileSystemBytecodeCache
) -> Iterator[Callable[..., Flask]]:
    """Apps over the test's instance folder, with further settings; all of them follow the test's clock."""
    made: list[Flask] = []

    def make(**settings: str) -> Flask:
        folder = Path(settings.get("MFAPORTAL_INSTANCE", instance))
        app = create_app({**databases.settings_of(folder), **settings})
        app.jinja_env.bytecode_cache = compiled_templates
        with app.app_context():
            runtime().clock = clock
            quick_apps.share_statements(db.engine)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def people(app: Flask, clock: MovableClock) -> Cast:
    """A portal "City data" with a reader, an editor, an admin and an operator; nobody has set up MFA."""
    with app.app_context():
        return seed(clock)


@pytest.fixture
def browser(app: Flask, clock: MovableClock) -> Browser:
    return Browser(app, clock)


@pytest.fixture
def new_browser(app: Flask, clock: MovableClock) -> Callable[[], Browser]:
    """Further browsers, each with its own cookies."""
    return lambda: Browser(app, clock)


@pytest.fixture
def server(instance: Path, tmp_path: Path) -> Iterator[Server]:
    """A real gunicorn over the test's instance folder, not yet started: `server.start(workers=4)`."""
    server = Server(instance, tmp_path)
    yield server
    server.stop()
