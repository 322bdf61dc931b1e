"""Bodies that are no form at all, too large, without their CSRF value, or with more in them than was asked for."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.contents import Dump
from tests.input.bench import Bench
from tests.input.database import differences, without_chance
from tests.input.forms import FORMS, OF_EACH_KIND, FormCase
from tests.input.multipart import MULTIPART, file_part, multipart, text_part
from tests.input.values import Bad

each_form = pytest.mark.parametrize("case", FORMS, ids=str)
Open = Callable[[FormCase], Bench]
THIRTY_MEGABYTES = b"name=" + b"a" * 30_000_000
NO_CSRF_VALUES = (
    Bad("empty", ""),
    Bad("too long", "a" * 10_000),
    Bad("not ASCII", "\u00e9"),
    Bad("NUL", "\x00"),
    Bad("dots", ".."),
)
EXTRAS = {
    "role": "admin",
    "operator": "yes",
    "is_operator": "yes",
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "pending_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "account_id": "4",
    "id": "4",
    "app_id": "1",
    "confirmed": "yes",
    "confirmed_at": "2",
    "second_factor_at": "2",
    "suspended_at": "",
    "email": "other@example.org",
    "name": "Other",
    "password_digest": "other",
    "mfa_rule": "off",
    "visibility": "public",
    "slug": "other",
    "next": "https://evil.example/",
    "others": "1",
}


@pytest.mark.parametrize("case", OF_EACH_KIND, ids=str)
def test_what_is_no_form_is_refused_before_any_work(case: FormCase, bench: Open, app: Flask) -> None:
    opened = bench(case)
    odd_bodies_are_refused(opened)
    odd_multiparts_are_refused(opened)
    without_its_csrf_value_a_form_is_refused(opened, app)
    opened.check()


def odd_bodies_are_refused(opened: Bench) -> None:
    for body in (b"", b"\x00" * 1000, b"&" * 60_000, b"=" * 60_000, b"%" * 60_000, b";" * 60_000, b"+" * 60_000):
        opened.try_body(repr(body[:3]), body, {400})
    opened.try_body("64 kB and one", opened.body() + b"&a=".ljust(64 * 1024 + 1 - len(opened.body()), b"a"), {413})
    opened.try_body("64 kB", opened.body() + b"&a=".ljust(64 * 1024 - len(opened.body()), b"a"), opened.case.done)
    opened.try_body("30 MB", THIRTY_MEGABYTES, {413})
    many = b"&".join(b"f%d=" % number for number in range(5_000))
    opened.try_body("5,000 more fields", opened.body() + b"&" + many, opened.case.done)


def odd_multiparts_are_refused(opened: Bench) -> None:
    csrf = text_part("csrf_token", opened.csrf)
    whole = multipart(csrf, *(text_part(name, value) for name, value in opened.form.good.items()))
    nested = file_part(
        "name",
        multipart(text_part("name", "a"), boundary="inner").decode(),
        content_type="multipart/form-data; boundary=inner",
    )
    deep = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(500))
    unnamed = b"Content-Disposition: form-data\r\n\r\na"
    charset = text_part("name", "a", content_type="text/plain; charset=utf-7")
    case = opened.case
    opened.try_body("1,001 parts", multipart(csrf, *[text_part("a", "b")] * 1_001), {413}, MULTIPART)
    opened.try_body("cut off", whole[: len(whole) // 2], {400}, MULTIPART)
    opened.try_body("nested", multipart(csrf, nested), case.without_fields, MULTIPART)
    opened.try_body("deep", deep, {400}, "multipart/mixed; boundary=b0")
    opened.try_body("a deep form", deep, {400}, "multipart/form-data; boundary=b0")
    opened.try_body("a long header", multipart(csrf, b"X: " + b"a" * 60_000 + b"\r\n\r\n"), {400, 413}, MULTIPART)
    opened.try_body("no name", multipart(csrf, unnamed), {400} | case.without_fields, MULTIPART)
    opened.try_body("a part's charset", multipart(csrf, charset), {422} | case.done, MULTIPART)


def without_its_csrf_value_a_form_is_refused(opened: Bench, app: Flask) -> None:
    form = opened.body(csrf=False)
    opened.try_body("no value", form, {400})
    for value in (*NO_CSRF_VALUES, Bad("cut", opened.csrf[:-1]), Bad("longer", opened.csrf + "a")):
        opened.try_body(value.what, form + b"&" + value.in_body("csrf_token"), {400})
    elsewhere = app.test_client().get("/log-in", base_url="http://127.0.0.1:8000").get_data(as_text=True)
    foreign = elsewhere.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert foreign
    opened.try_body("of another browser", form + f"&csrf_token={foreign}".encode(), {400})


@each_form
def test_fields_that_the_form_does_not_have_change_nothing(case: FormCase, bench: Open) -> None:
    opened = bench(case)
    as_it_should_be = _sent(opened, opened.body())
    more = {name: Bad(name, value) for name, value in EXTRAS.items() if name not in case.fields}
    assert _sent(opened, opened.body(more)) == as_it_should_be


def _sent(opened: Bench, body: bytes) -> tuple[int, str, list[str], Dump]:
    page = opened.send(body)
    now = without_chance(opened.database.now())
    return page.status, page.location, differences(without_chance(opened.database.before()), now), now
