"""Following every link and every form from page to page, as one browser."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

from tests.browser_client import ORIGIN, Browser


class _Found(HTMLParser):
    """What leads on from a page: links, and forms with their methods."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("a", "link"):
            self.links.append(values.get("href", ""))
        if tag == "form":
            self.forms.append((values.get("method", "get").lower(), values.get("action", "")))


@dataclass
class Crawl:
    """Walks as one browser from page to page. A POST carries no CSRF value: let through by the gate, it is 400."""

    browser: Browser
    seen: dict[str, set[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def walk(self, starts: Iterable[str]) -> set[str]:
        """Follow everything; the paths that were opened."""
        to_open = dict.fromkeys(starts, "the start")
        while to_open:
            path, came_from = to_open.popitem()
            page = self.browser.get(path, buffered=True)
            self.seen[path] = set()
            alike = path == "/" and "nowhere" in came_from  # that page is the same for everybody
            if came_from != "the start" and page.status != 200 and not alike:
                self.wrong.append(f"{came_from} links to {path}: {page.status} {page.location}")
            found = _Found(page.html)
            links = [*found.links, *(action for method, action in found.forms if method == "get")]
            for link in {_local(path, link) for link in links}:
                if link is not None and link not in self.seen:
                    to_open[link] = path
            for action in {_local(path, action) or path for method, action in found.forms if method == "post"}:
                answer = self.browser.open("POST", action)
                if answer.status != 400:
                    self.wrong.append(f"{path} has a form for {action}: {answer.status} {answer.location}")
        return set(self.seen)


def _local(page: str, link: str) -> str | None:
    target = urldefrag(urljoin(ORIGIN + page, link)).url
    return target.removeprefix(ORIGIN) or "/" if target.startswith(ORIGIN) else None
