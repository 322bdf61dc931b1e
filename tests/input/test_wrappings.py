"""Right values in the wrong wrapping: sent twice, as a list, in the query, as files, JSON, XML, in odd charsets."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.input.bench import URLENCODED, Bench
from tests.input.forms import OF_EACH_KIND, FormCase, Kind
from tests.input.multipart import MULTIPART, file_part, multipart, text_part


@pytest.mark.parametrize("case", OF_EACH_KIND, ids=str)
def test_what_is_wrapped_wrongly_is_no_field(case: FormCase, bench: Callable[[FormCase], Bench]) -> None:
    """One test a form for all wrappings: getting to a form takes longer than sending it."""
    opened = bench(case)
    of_a_field_sent_twice_the_first_counts(opened)
    a_list_is_no_field(opened)
    the_query_is_no_part_of_the_form(opened)
    multipart_carries_a_form_but_a_file_is_no_field(opened)
    json_and_xml_are_no_forms(opened)
    a_body_is_utf_8_whatever_it_calls_itself(opened)
    other_content_types_are_no_form(opened)
    opened.check()


def of_a_field_sent_twice_the_first_counts(opened: Bench) -> None:
    for name, right in opened.form.good.items():
        others = {other: value for other, value in opened.form.good.items() if other != name}
        rest = urlencode({"csrf_token": opened.csrf, **others}).encode()
        good, bad = urlencode({name: right}).encode(), name.encode() + b"=a%00b"
        opened.try_body(f"{name}, bad one last", b"&".join((rest, good, bad)), opened.case.done)
        first = opened.case.done if opened.case.fields[name] in (Kind.ROWS, Kind.BOX_NEEDED) else {422}
        opened.try_body(f"{name}, bad one first", b"&".join((rest, bad, good)), first)


def a_list_is_no_field(opened: Bench) -> None:
    fields = urlencode({f"{name}[]": value for name, value in opened.form.good.items()})
    opened.try_body("name[]", f"{fields}&csrf_token={opened.csrf}".encode(), opened.case.without_fields)


def the_query_is_no_part_of_the_form(opened: Bench) -> None:
    csrf = urlencode({"csrf_token": opened.csrf})
    path = f"{opened.form.path}?{urlencode(opened.form.good)}"
    opened.try_body("fields in the query", csrf.encode(), opened.case.without_fields, path=path)
    opened.try_body("CSRF value in the query", opened.body(csrf=False), {400}, path=f"{opened.form.path}?{csrf}")


def multipart_carries_a_form_but_a_file_is_no_field(opened: Bench) -> None:
    csrf = text_part("csrf_token", opened.csrf)
    texts = [text_part(name, value) for name, value in opened.form.good.items()]
    files = [file_part(name, value) for name, value in opened.form.good.items()]
    opened.try_body("texts", multipart(csrf, *texts), opened.case.done, MULTIPART)
    opened.try_body("files", multipart(csrf, *files), opened.case.without_fields, MULTIPART)
    opened.try_body("all files", multipart(file_part("csrf_token", opened.csrf), *texts), {400}, MULTIPART)


def json_and_xml_are_no_forms(opened: Bench) -> None:
    good = {**opened.form.good, "csrf_token": opened.csrf}
    bodies = {
        "application/json": [json.dumps(good), "[" * 60_000, '{"a": "\\ud800"}', '"', "9" * 60_000, "NaN"],
        "application/xml": [
            "<form><email>a</email></form>",
            '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        ],
        "text/plain": [urlencode(good)],
    }
    header = {"X-CSRFToken": opened.csrf}
    for content_type, texts in bodies.items():
        for text in texts:
            what, body = f"{content_type} {text[:20]}", text.encode()
            opened.try_body(what, body, {400}, content_type)
            opened.try_body(
                f"{what}, value in a header", body, opened.case.without_fields, content_type, headers=header
            )


def a_body_is_utf_8_whatever_it_calls_itself(opened: Bench) -> None:
    for charset in ("utf-7", "utf-16", "nonsense", "x" * 1000, '"', "\u00e9"):
        named = f"{URLENCODED}; charset={charset}"
        opened.try_body(f"charset {charset[:10]}", opened.body(), opened.case.done, named)
    for codec in ("utf-16", "utf-16-le", "utf-32"):
        encoded = opened.body().decode().encode(codec)
        opened.try_body(f"in {codec}", encoded, {400}, f"{URLENCODED}; charset={codec}")


def other_content_types_are_no_form(opened: Bench) -> None:
    ends = ("", "; boundary=", "; boundary=" + "b" * 300, "; boundary=\u00e9", '; boundary="', "; boundary=\\")
    for content_type in ("", ";", "application/x-url-encoded", *(f"multipart/form-data{end}" for end in ends)):
        opened.try_body(repr(content_type)[:60], opened.body(), {400}, content_type)
