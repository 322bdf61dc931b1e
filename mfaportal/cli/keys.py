"""`flask --app wsgi keys …`: the key ring, and a new key for what is sealed."""

import time

from ..domain import key_rotation
from ..domain.key_rotation import KeyListed, Progress
from ..plumbing.config import SettingError
from .terminal import Commands, as_json, caller, count, refuse, say, say_json, table

_BREATH = 0.05
"""Seconds in which others write: the database's lock goes to whoever asks first, not to who waits longest."""
group = Commands("keys", help="The keys that seal what the database must not show.")


@group.command("list")
@as_json
def list_keys(as_json: bool) -> None:
    """List the keys of the ring, newest first, and how much is sealed under each."""
    found = key_rotation.keys()
    if as_json:
        say_json([_as_dict(key) for key in found])
        return
    rows = [(key.kind, key.id, _made(key), _use(key)) for key in found]
    say(table(("KIND", "ID", "MADE", "USE"), rows))
    if any(not key.newest for key in found):
        say("Older keys stay in the ring: older backups open with them.")


def _as_dict(key: KeyListed) -> dict[str, object]:
    made_at = key.made_at.isoformat() if key.made_at else None
    return {"id": key.id, "kind": key.kind, "made_at": made_at, "uses": key.uses, "newest": key.newest}


def _made(key: KeyListed) -> str:
    return f"{key.made_at:%Y-%m-%d %H:%M}" if key.made_at else "at the first start"


def _use(key: KeyListed) -> str:
    if key.kind == "digest":
        return f"{count(key.uses, 'digest', 'digests')} of recovery codes and of the log of events"
    return f"{count(key.uses, 'secret', 'secrets')} sealed under it"


@group.command("rotate")
def rotate() -> None:
    """Make a new key and seal everything again under it, while people work.

    A rotation that was broken off is finished instead, without another new key.
    """
    done = _seal_again() if key_rotation.is_unfinished() else None
    if done is not None and done.done:
        result = "An earlier rotation was not finished; it is now. Run this again for a new key."
    else:
        try:
            say(f"Made the key {key_rotation.begin(caller())}. From now on it seals.")
        except SettingError as error:
            refuse(f"{error} Nothing was changed.")
        done = _seal_again()
        result = "Everything is sealed under it. Make a backup: the new key is in no older one."
    key_rotation.finish(caller(), done)
    if done.broken:
        refuse(f"No key of the ring opens {count(done.broken, 'secret', 'secrets')}; they were left as they are.")
    say(result)


def _seal_again() -> Progress:
    last = Progress(0, 0, 0)
    for last in key_rotation.seal_again(caller()):
        say(f"Sealed {last.done} again, {last.left} to go.")
        time.sleep(_BREATH)
    return last
