"""What counts as a six-digit code, wherever one is asked for: ASCII digits, with ASCII spaces between them."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from mfaportal.models import Authenticator, Login
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import Runtime, runtime
from mfaportal.rules.totp import new_secret
from tests.input.bench import Bench
from tests.input.forms import FORMS, FormCase, Kind
from tests.input.scenes import Scene
from tests.input.values import Bad
from tests.phone import Phone

ASKING = [case for case in FORMS if Kind.CODE in case.fields.values()]
each_form = pytest.mark.parametrize("case", ASKING, ids=str)


def _mapped(code: str, zero: int) -> str:
    return "".join(chr(zero + int(digit)) for digit in code)


def _aliases(code: str) -> dict[str, str]:
    superscript = dict(zip("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", strict=True))
    return {
        "full width": _mapped(code, 0xFF10),
        "Arabic-Indic": _mapped(code, 0x0660),
        "Devanagari": _mapped(code, 0x0966),
        "mathematical": _mapped(code, 0x1D7CE),
        "superscript": "".join(superscript[digit] for digit in code),
        "one full-width digit": _mapped(code[0], 0xFF10) + code[1:],
        "a line end behind it": code + "\n",
        "a line end before it": "\r\n" + code,
        "a line end inside": f"{code[:3]}\n{code[3:]}",
        "a tab": f"{code[:3]}\t{code[3:]}",
        "a no-break space": f"{code[:3]}\u00a0{code[3:]}",
        "a thin space": f"{code[:3]}\u2009{code[3:]}",
        "an ideographic space": f"{code[:3]}\u3000{code[3:]}",
        "a zero-width space": f"{code[:3]}\u200b{code[3:]}",
        "a dash": f"{code[:3]}-{code[3:]}",
        "a NUL": code + "\x00",
        "a combining mark": code + "\u0301",
        "a plus sign": "+" + code,
        "a decimal point": code + ".0",
        "five digits": code[1:],
        "seven digits": "0" + code,
        "twice": code * 2,
        "hexadecimal": "0x" + code[2:],
        "an underscore": f"{code[:3]}_{code[3:]}",
        "too many spaces": code + " " * 60,
        "the direction turned": "\u202e" + code,
    }


@each_form
def test_what_only_looks_like_the_right_code_is_no_code(case: FormCase, bench: Callable[[FormCase], Bench]) -> None:
    opened = bench(case)
    for what, typed in _aliases(opened.form.good["code"]).items():
        page = opened.try_body(what, _with_code(opened, typed), {422})
        if "Enter the six digits that your app shows." not in page.text:
            opened.faults.append(f"{what}: {page.text[:200]}")
        if any(change.startswith("authenticators") or "events" in change for change in opened.database.changes()):
            opened.faults.append(f"{what}: {opened.database.changes()}")
    opened.check()


@each_form
def test_ascii_spaces_are_taken_out(case: FormCase, bench: Callable[[FormCase], Bench]) -> None:
    opened = bench(case)
    code = opened.form.good["code"]
    for typed in (f" {code}", f"{code} ", f"{code[:3]} {code[3:]}", " ".join(code), f"  {code[:2]}  {code[2:]}"):
        opened.try_body(repr(typed), _with_code(opened, typed), case.done)
    opened.check()


@each_form
def test_a_leading_zero_belongs_to_the_code(case: FormCase, scene: Scene, bench: Callable[[FormCase], Bench]) -> None:
    opened = bench(case)
    code = _give_key_with_leading_zero(scene).code(scene.clock())
    opened.database.remember()
    opened.try_body("without its zero", _with_code(opened, code.lstrip("0")), {422})
    opened.try_body("with it", _with_code(opened, code), case.done)
    opened.check()


def _give_key_with_leading_zero(scene: Scene) -> Phone:
    """One key in ten shows a zero first: put such a one in place of every key that there is, stored or on offer."""
    drawn = (Phone(new_secret()) for _ in range(1_000))
    phone = next(phone for phone in drawn if phone.code(scene.clock()).startswith("0"))
    sealer = runtime_of(scene).keys.sealer
    with scene.app.app_context(), transaction() as session:
        for app in session.scalars(select(Authenticator)):
            app.sealed_secret, app.last_step = sealer.seal(owner_of(app.account_id), phone.key), -1
        for login in session.scalars(select(Login).where(Login.pending_secret.is_not(None))):
            login.pending_secret = sealer.seal(owner_of(login.account_id), phone.key)
    return phone


def runtime_of(scene: Scene) -> Runtime:
    with scene.app.app_context():
        return runtime()


def _with_code(opened: Bench, typed: str) -> bytes:
    return opened.body({"code": Bad("typed", typed)})
