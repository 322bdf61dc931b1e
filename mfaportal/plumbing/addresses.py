"""E-mail addresses: what is one, and the one way it is written down."""

MAX_LENGTH = 254


def normalise(address: str) -> str | None:
    """The address in lower case and composed form, or None where it is none. Nothing is looked up."""
    if len(address) > MAX_LENGTH * 2:
        return None
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  # only where accounts are made

    try:
        found = validate_email(address.strip(" "), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    lower = found.normalized.lower()
    return lower if len(lower) <= MAX_LENGTH else None
