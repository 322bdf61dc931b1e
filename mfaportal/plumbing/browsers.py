"""A browser in words, out of what it says of itself. Anybody can say anything: it decides nothing."""

UNKNOWN = "A browser"
_READ = 400
"""How much of the header is looked at: some browsers are wordy, and a pattern may be slow on more."""
_LONGEST = 40


def in_words(user_agent: str) -> str:
    """`Firefox on Linux`; of what nobody knows, "A browser". The library is imported on first use: it is large."""
    from ua_parser import parse  # noqa: PLC0415

    found = parse(user_agent[:_READ])
    browser = _cut(found.user_agent.family) if found.user_agent else ""
    system = _cut(found.os.family) if found.os else ""
    return f"{browser or UNKNOWN} on {system}" if system else browser or UNKNOWN


def _cut(family: str) -> str:
    return "" if family == "Other" else "".join(filter(str.isprintable, family))[:_LONGEST].strip()
