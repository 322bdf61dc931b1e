"""A browser without a screen: keeps cookies, fills in the forms that pages show, and sees what a person would."""

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from tests.clock import MovableClock
from tests.people import Person

ORIGIN = "http://127.0.0.1:8000"


@dataclass
class FormSeen:
    """A form on a page: where it goes, and the fields as they stand there."""

    action: str
    method: str
    fields: dict[str, str]
    buttons: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormSeen] = []
        self.text: list[str] = []
        self._open: FormSeen | None = None
        self._button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = FormSeen(values.get("action", ""), values.get("method", "get"), {}, [])
            self.forms.append(self._open)
        elif tag == "input" and self._open and "name" in values:
            box = values.get("type") in ("checkbox", "radio")
            if not box or "checked" in values:
                self._open.fields[values["name"]] = values.get("value", "on" if box else "")
        self._button = tag == "button"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "button":
            self._button = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._button and self._open and data.strip():
            self._open.buttons.append(data.strip())


class Page:
    """An answer, read."""

    def __init__(self, response: TestResponse, path: str) -> None:
        self.response = response
        self.path = path
        self.status = response.status_code
        self.html = response.get_data(as_text=True) if "charset" in (response.content_type or "") else ""
        reader = _Reader()
        reader.feed(self.html)
        self.forms = reader.forms
        self.text = " ".join(" ".join(reader.text).split())

    @property
    def location(self) -> str:
        return self.response.headers.get("Location", "")

    def form(self, button: str | None = None) -> FormSeen:
        """The form with this button; else the one of the page itself (not "Log out" in the bar)."""
        wanted = (
            [form for form in self.forms if button in form.buttons]
            if button
            else [form for form in self.forms if form.method == "post" and "Log out" not in form.buttons]
        )
        assert wanted, f"no form {button or ''} on {self.path} ({self.status}): {self.text[:300]}"
        return wanted[0]


class Browser:
    """`get` and `submit` do not follow redirects unless told to."""

    def __init__(self, app: Flask, clock: MovableClock) -> None:
        self.client = app.test_client()
        self.clock = clock
        self.address = "192.0.2.7"

    def get(self, path: str, *, follow: bool = False, **options: Any) -> Page:
        page = self.open("GET", path, **options)
        for _ in range(10):
            if not follow or page.status not in (301, 302, 303, 307, 308):
                break
            page = self.open("GET", urljoin(path, page.location))
        return page

    def open(self, method: str, path: str, **options: Any) -> Page:
        environ = {"REMOTE_ADDR": self.address, **options.pop("environ_base", {})}
        response = self.client.open(
            path, method=method, base_url=options.pop("base_url", ORIGIN), environ_base=environ, **options
        )
        return Page(response, path)

    def submit(self, path: str, *, button: str | None = None, follow: bool = False, **fields: str) -> Page:
        """Open a page (following redirects), fill in its form and send it."""
        page = self.get(path, follow=True)
        return self.send(page, button=button, follow=follow, **fields)

    def send(self, page: Page, *, button: str | None = None, follow: bool = False, **fields: str) -> Page:
        """Send the form of a page that was opened before."""
        form = page.form(button)
        target = (
            urljoin(page.response.request.path + _query(page), form.action)
            if form.action
            else (page.response.request.path + _query(page))
        )
        answer = self.open("POST", target, data={**form.fields, **fields})
        return self.get(answer.location, follow=True) if follow and answer.status == 303 else answer

    def csrf(self, path: str = "/log-in") -> str:
        """A CSRF value of this browser's session, from any page with a form."""
        for form in self.get(path, follow=True).forms:
            if "csrf_token" in form.fields:
                return form.fields["csrf_token"]
        raise AssertionError(f"no form on {path}")

    def give_password(self, person: Person, *, password: str | None = None, path: str = "/log-in") -> Page:
        """The first half of a log-in."""
        return self.submit(path, email=person.email, password=password or person.password)

    def log_in(self, person: Person, path: str = "/log-in") -> Page:
        """A whole log-in, with a code where the person has an app. Where it leads is the answer's location."""
        page = self.give_password(person, path=path)
        if page.location == "/log-in/code":
            assert person.phone is not None, f"{person.name} has no phone"
            page = self.submit("/log-in/code", code=person.phone.code(self.clock()))
        assert page.status == 303, page.text
        return page

    def log_out(self) -> Page:
        return self.submit("/account", button="Log out")


def _query(page: Page) -> str:
    query = urlsplit(page.response.request.url).query
    return f"?{query}" if query else ""
