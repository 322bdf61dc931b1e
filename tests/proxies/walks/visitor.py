"""What people do at guarded pages, beside what they do at the portal's own; and what they may look for there."""

from dataclasses import dataclass, replace

from playwright.sync_api import Response

from tests.browser.pages import Somebody

_STYLED = "() => [...document.styleSheets].some(sheet => sheet.cssRules.length)"


@dataclass
class Visitor(Somebody):
    """A person with a browser of their own who comes to guarded hosts; `open` takes whole addresses."""

    def visits(self, address: str) -> Response:
        """Open a guarded address; the answer is that of the page where one ends."""
        answer = self.page.goto(address)
        assert answer is not None
        return answer

    def is_at(self, address: str) -> None:
        """Exactly there, with path and query string."""
        assert self.page.url == address

    def is_asked_to_log_in_at(self, portal: str) -> None:
        self.sees("Log in")
        assert self.page.url.startswith(f"{portal}/log-in?"), self.page.url

    def gives_password_here(self) -> None:
        """On the log-in page where a guarded host has led."""
        self.fill({"E-mail": self.email, "Password": self.password})
        self.press("Log in")

    def sees_a_page_of_ours(self, heading: str, origin: str) -> None:
        """On the guarded host itself, with the stylesheet that the portal serves there."""
        self.sees(heading)
        assert self.page.url.startswith(f"{origin}/")
        self.page.wait_for_function(_STYLED)  # fails where the page has none after a while

    def second_tab(self) -> "Visitor":
        return replace(self, page=self.page.context.new_page())
