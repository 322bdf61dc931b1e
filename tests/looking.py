"""What a person sees of a page: title, headings, links, buttons and fields, by the names that are read aloud."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.browser_client import Page

_VOID = {"input", "meta", "link", "br", "hr", "img"}
_BLOCKS = {
    "p",
    "div",
    "section",
    "li",
    "dt",
    "dd",
    "tr",
    "th",
    "td",
    "small",
    "h1",
    "h2",
    "label",
    "form",
    "br",
    "nav",
}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    @property
    def text(self) -> str:
        """What is read aloud: neither drawings nor what is marked as hidden."""
        if self.attributes.get("aria-hidden") == "true" or self.tag in ("style", "script"):
            return ""
        return " ".join("".join(map(_read, self.children)).split())

    def __getitem__(self, attribute: str) -> str:
        return self.attributes.get(attribute, "")


def _read(child: Node | str) -> str:
    if isinstance(child, str):
        return child
    return f" {child.text} " if child.tag in _BLOCKS else child.text


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("page", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in {node.tag for node in self._open}:
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


@dataclass(frozen=True)
class Choice:
    """One radio button or check-box; `facts` is its description."""

    value: str
    checked: bool
    facts: str = ""


class Seen:
    """A page, looked at."""

    def __init__(self, page: Page) -> None:
        tree = _Tree()
        tree.feed(page.html)
        self.root = tree.root
        self.nodes = list(tree.root.walk())
        self._ids = {node["id"]: node for node in self.nodes if node["id"]}

    def all(self, *tags: str) -> list[Node]:
        return [node for node in self.nodes if node.tag in tags]

    @property
    def title(self) -> str:
        return self.all("title")[0].text

    @property
    def h1(self) -> str:
        """The page's own heading; there is just one."""
        (heading,) = self.all("h1")
        return heading.text

    @property
    def main(self) -> str:
        return self.all("main")[0].text

    @property
    def links(self) -> dict[str, str]:
        """Where each link leads, by its name; of several with one name, the first."""
        found: dict[str, str] = {}
        for link in self.all("a"):
            found.setdefault(self.name(link), link["href"])
        return found

    @property
    def buttons(self) -> list[str]:
        """The buttons beside "Log out"."""
        return [name for name in map(self.name, self.all("button")) if name != "Log out"]

    @property
    def messages(self) -> list[str]:
        return [node.text for node in self.nodes if node["role"] in ("status", "alert")]

    @property
    def boxes(self) -> dict[str, Choice]:
        """The check-boxes by name."""
        return {self.name(node): self._choice(node) for node in self.all("input") if node["type"] == "checkbox"}

    @property
    def radios(self) -> dict[str, dict[str, Choice]]:
        """The groups of radio buttons by their legend, each button by its name."""
        groups: dict[str, dict[str, Choice]] = {}
        for fieldset in self.all("fieldset"):
            legend = next(node.text for node in fieldset.walk() if node.tag == "legend")
            buttons = [node for node in fieldset.walk() if node["type"] == "radio"]
            groups[legend] = {self.name(node): self._choice(node) for node in buttons}
        return groups

    def field(self, name: str) -> Node:
        """The field that is labelled so."""
        (found,) = [
            node
            for node in self.all("input", "select", "textarea")
            if node["type"] != "hidden" and self.name(node) == name
        ]
        return found

    def error_of(self, name: str) -> str:
        """What is wrong with a field, as tied to it; empty when nothing is."""
        node = self.field(name)
        return self._described(node) if node["aria-invalid"] == "true" else ""

    def name(self, node: Node) -> str:
        """The accessible name: what it is labelled by, else its label, else what stands in it."""
        if node["aria-labelledby"]:
            return " ".join(self._ids[each].text for each in node["aria-labelledby"].split())
        if node["aria-label"]:
            return node["aria-label"]
        if node.tag in ("input", "select", "textarea", "meter"):
            return self._label(node)
        return node.text

    def _label(self, node: Node) -> str:
        for label in self.all("label"):
            if (node["id"] and label["for"] == node["id"]) or any(child is node for child in label.walk()):
                return label.text
        return ""

    def _choice(self, node: Node) -> Choice:
        return Choice(node["value"], "checked" in node.attributes, self._described(node))

    def _described(self, node: Node) -> str:
        return " ".join(self._ids[each].text for each in node["aria-describedby"].split())
