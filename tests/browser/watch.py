"""What no page of any test may do: ask another server for something, break its own policy, or meet an error 5xx."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

_INSIDE = ("data:", "blob:", "about:")


class Watch:
    """Looks on while a test walks, and is asked at the end."""

    def __init__(self, *origins: str) -> None:
        self._inside = (*(f"{origin}/" for origin in origins), *_INSIDE)
        self._seen: list[str] = []

    def allow(self, origin: str) -> None:
        """Pages may ask there, too."""
        self._inside = (*self._inside, f"{origin}/")

    def over(self, context: BrowserContext) -> None:
        """From now on, for all pages of this browser."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._script)

    def verdict(self) -> None:
        assert not self._seen, "\n".join(self._seen)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._inside):
            self._seen.append(f"asked for {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self._seen.append(f"{response.status} at {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self._seen.append(f"against the policy: {message.text}")

    def _script(self, error: WebError) -> None:
        self._seen.append(f"a script failed: {error.error}")
