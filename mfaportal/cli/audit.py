"""`flask --app wsgi audit …`: whether the log of events is whole, and the log as a file."""

import sys
from datetime import datetime

import click

from ..domain import event_proof, events_export
from ..domain.activity import EventsQuery
from ..domain.event_proof import Broken, Whole
from ..domain.events_export import Format
from ..domain.outcomes import PortalRefusal
from .refusals import refuse_portal
from .terminal import Commands, Text, caller, count, refuse, say

_DIGEST = 32
group = Commands("audit", help="The log of events.")


class Head(click.ParamType[bytes]):
    """A seal as `audit verify` prints it."""

    name = "hex"

    def convert(self, value: str | bytes, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        try:
            head = bytes.fromhex(value)
        except ValueError:
            head = b""
        if len(head) != _DIGEST:
            self.fail("A head is 64 hexadecimal digits, as this command prints it.", param, ctx)
        return head


@group.command("verify")
@click.option("--head", "kept", type=Head(), help="A head that was printed before and kept elsewhere.")
def verify(kept: bytes | None) -> None:
    """Check that no sealed event was changed, removed, put in or moved.

    Upkeep seals events in batches, each chained to the one before it. The first batch that does not fit is named, and
    the exit status is 1. The head that is printed stands for all events up to it: keep it on another machine.

    What this cannot show by itself: that the newest events were cut off together with their seals (--head shows it),
    what became of events that are not sealed yet, and anything that somebody did who has the key ring.
    """
    found = event_proof.verify(kept)
    if isinstance(found, Broken):
        refuse(_fault(found))
    if kept is not None and found.kept_head is None:
        refuse("The head that you kept is not in this log: the log was cut off behind it, or it is another log.")
    for line in _facts(found):
        say(line)


def _fault(found: Broken) -> str:
    when = f", sealed {found.sealed_at:%Y-%m-%d %H:%M} UTC" if found.sealed_at else ""
    return f"Batch {found.number} (events {found.first_event} to {found.last_event}{when}): {found.why}."


def _facts(found: Whole) -> list[str]:
    if not found.batches:
        return [f"No batch is sealed yet; {count(found.unsealed, 'event is', 'events are')} waiting for it."]
    lines = [f"{count(found.batches, 'batch fits', 'batches fit')}, with {count(found.events, 'event', 'events')}."]
    if found.pruned:
        lines.append(f"Retention has removed the events of {count(found.pruned, 'older batch', 'older batches')}.")
    lines.append(f"{count(found.unsealed, 'event is', 'events are')} not sealed yet.")
    if found.kept_head is not None:
        lines.append(f"The head that you kept is that of batch {found.kept_head}.")
    return [*lines, f"Head, of batch {found.number}: {found.head.hex()}"]


@group.command("export")
@click.option("--portal", "slug", metavar="SLUG", type=Text(), help="Only what happened in this portal.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on, in UTC.")
@click.option("--format", "form", type=click.Choice([each.value for each in Format]), default=Format.CSV.value)
def export(slug: str | None, since: datetime | None, form: str) -> None:
    """Print the log, oldest event first, as CSV or as a JSON object a line. All times are UTC."""
    found = events_export.export(caller(), slug, EventsQuery(since=since and since.date()), Format(form))
    if isinstance(found, PortalRefusal):
        refuse_portal(found, slug or "")
    for line in found:
        sys.stdout.buffer.write(line.encode())  # for other programs: UTF-8, whatever the terminal's encoding
