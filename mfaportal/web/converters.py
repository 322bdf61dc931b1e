"""What stands in URLs: numbers that a database can hold, in ASCII digits, and slugs. Anything else is 404."""

from werkzeug.routing import BaseConverter


class NumberConverter(BaseConverter):
    """A row's number: Werkzeug's own `int` takes 4,000 digits and full-width ones (security.md, fact 7)."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class SlugConverter(BaseConverter):
    regex = "[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
