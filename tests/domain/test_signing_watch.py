"""The signing key of several machines: a different one is said, at the start and by `doctor`."""

from collections.abc import Callable
from secrets import token_urlsafe

import pytest
from flask import Flask

from mfaportal import background
from mfaportal.domain import signing_watch
from mfaportal.models import Setting
from mfaportal.models.setting import SIGNED_WITH
from tests.stored import stored

OLD, NEW = token_urlsafe(48), token_urlsafe(48)
Make = Callable[..., Flask]


def serve(app: Flask) -> None:
    """As a worker of the server begins."""
    background.start(app).stop()


def look(app: Flask) -> str | None:
    with app.app_context():
        return signing_watch.look()


def test_a_new_key_with_the_old_one_behind_it_is_nothing_to_speak_of(
    make_app: Make, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = make_app(MFAPORTAL_SECRET_KEY=OLD), make_app(MFAPORTAL_SECRET_KEY=f"{NEW},{OLD}")
    assert look(old) is None, "nothing has been served yet"
    serve(old)
    serve(old)
    assert look(new) is None
    serve(new)
    assert look(new) is None
    assert "signing key" not in caplog.text
    assert "MFAPORTAL_SECRET_KEY" in (look(old) or ""), "the one that has not been told yet"


def test_a_machine_with_another_key_is_told_so(make_app: Make, caplog: pytest.LogCaptureFixture) -> None:
    one, other = make_app(MFAPORTAL_SECRET_KEY=OLD), make_app(MFAPORTAL_SECRET_KEY=NEW)
    serve(one)
    assert "MFAPORTAL_SECRET_KEY" in (look(other) or "")
    serve(other)
    assert caplog.text.count("the signing key is not the one") == 1
    assert look(other) is None
    assert "MFAPORTAL_SECRET_KEY" in (look(one) or "")


def test_nothing_of_the_key_is_kept_but_its_fingerprint(make_app: Make) -> None:
    app = make_app(MFAPORTAL_SECRET_KEY=OLD)
    serve(app)
    kept = [row.value for row in stored(app, Setting, name=SIGNED_WITH)]
    assert len(kept) == 1
    assert len(kept[0]) == 64
    assert kept[0] not in OLD
