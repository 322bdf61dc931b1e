"""What the guarded page shows, in both systems: one template, a name and ten rows."""

from pathlib import Path

TEMPLATES = str(Path(__file__).with_name("templates"))
TEMPLATE = "guarded.html"
ROWS = [(f"row {number}", "a value & <its> markup") for number in range(1, 11)]
MARKER = "Here is"
PASSWORD = "a password for the benchmark"  # noqa: S105
EMAIL = "bench@example.org"
"""One account is enough: neither system caches anything about it."""
