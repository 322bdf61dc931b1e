"""ASVS 11.2.4, in the source: no guess is held against a secret by `==`, which ends at the first letter that differs.

Codes and what is signed are compared by `hmac.compare_digest`; tokens, links and recovery codes are looked up in the
database by a digest of what was sent, and how far two digests agree tells nothing of what they were made from. Every
other comparison of something called by a secret's name stands below.
"""

import ast
from collections.abc import Iterator

from mfaportal import models
from tests.source import MODULES, PACKAGE, calls, tree

SECRETS = {"code", "codes", "digest", "token", "mac", "signature", "secret", "mark", "password", "seal", "proof"}
COMPARED_SAFELY = {
    "domain/devices",
    "plumbing/sealing",
    "rules/totp",
    "web/auth/welcome",
    "web/form_token",
    "web/template_cache",
}
"""What is signed (cookies, CSRF values, probes) is compared by itsdangerous and Flask-WTF, which do the same."""
BY_NOBODYS_GUESS = {
    # Whether a row still holds what was judged: both sides are digests that we keep.
    "domain/admission": {
        "account.password_digest == known.account_digest",
        "request.password_digest == seen",
    },
    "domain/confirming": {"request.password_digest != counted"},
    "domain/logins": {"account.password_digest != stored"},
    # The chain of events: rows of the database, which whoever runs the machine has looked through.
    "domain/event_proof": {
        "batch_digest(events) == seal['batch']",
        "seal['after_event'] != last_event",
        "seal['seal'] != seal_of(seal, before)",
        "seal['pruned'] != proof_of_retention(seal['key'], seal['seal'], seal['pruned_at'])",
    },
    "domain/sealing_events": {"batch_digest(events) != oldest.batch"},
    # The key that a set-up offers, sealed: the row is asked whether it is still the one that was read from it.
    "domain/set_up": {"Login.pending_secret == offered"},
    # Of the shape that sealing gives; what is in it is judged afterwards.
    "plumbing/sealing": {"base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)) != token"},
    # Whether the ring's file was written since (its size and times), and the id of a key.
    "plumbing/key_ring": {"signature != self._seen", "key_id in before.seal"},
    # Made by ourselves a moment ago, asked of our own database.
    "plumbing/server_database": {
        "connection.scalar(text(\"SELECT value FROM settings WHERE name = 'restored-as'\")) == token",
    },
    # Public: names of files' contents and of the portal, answers of HTTP and of mail servers.
    "domain/restoring": {"digest not in missing"},
    "domain/outside_look": {
        "denied.headers.get(probes.MARK_HEADER.lower()) != probes.mark_of(runtime().settings.public_url)",
    },
    "plumbing/mail": {"code in _TROUBLE"},
    "web/downloads": {"response.status_code != HTTPStatus.OK", "wanted != quote_etag(digest)"},
}


_EQUALITY = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def _words(operand: ast.expr) -> Iterator[str]:
    """What is named in it, word by word; names of constants are not what was sent or kept."""
    for node in ast.walk(operand):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if not name.isupper():
                yield from name.lower().split("_")
            case ast.Subscript(slice=ast.Constant(value=str(name))):
                yield from name.split("_")


def _is_asked_of_a_digest(operand: ast.expr) -> bool:
    """A column of a table that holds digests: the equality is SQL's."""
    match operand:
        case ast.Attribute(value=ast.Name(id=table), attr=column):
            return isinstance(getattr(models, table, None), type) and column.endswith("_digest")
    return False


def _by_equality() -> dict[str, set[str]]:
    """Where something with a secret's name is compared by `==`, `!=` or `in`, but with a constant or in SQL."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], _EQUALITY):
                continue
            operands = [node.left, *node.comparators]
            plain = any(isinstance(operand, ast.Constant | ast.Set) for operand in operands) or "len" in calls(node)
            named = any(SECRETS & set(_words(operand)) for operand in operands)
            if named and not plain and not any(map(_is_asked_of_a_digest, operands)):
                name = path.relative_to(PACKAGE).with_suffix("").as_posix()
                found.setdefault(name, set()).add(ast.unparse(node))
    return found


def test_no_guess_is_compared_by_equality() -> None:
    assert _by_equality() == BY_NOBODYS_GUESS


def test_what_is_compared_in_python_is_compared_in_constant_time() -> None:
    using = {path for path in MODULES if "compare_digest" in calls(tree(path))}
    assert {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in using} == COMPARED_SAFELY
