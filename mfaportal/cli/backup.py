"""`flask --app wsgi backup` and `restore`: the whole installation in one file, and back."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from ..domain import backups, restoring
from ..domain.backups import BackupMade, BackupRefusal
from ..domain.restoring import CannotRestore, Restored, Wish
from ..plumbing.config import SettingError
from ..rules.password_rule import MIN_LENGTH
from . import installation
from .terminal import FLASK, caller, count, prepared, read_password, refuse, say

_file = click.argument("file", type=click.Path(path_type=Path, resolve_path=True))
_passphrase = click.option(
    "--passphrase-stdin", is_flag=True, help="Read a passphrase for the file from the first line of standard input."
)
_REFUSALS = {
    BackupRefusal.EXISTS: "{file} is there already; nothing is overwritten. Choose another name.",
}


@click.command("backup")
@_file
@_passphrase
@with_appcontext
@prepared
def backup(file: Path, passphrase_stdin: bool) -> None:
    """Write everything into one file while people work: database, files, key ring, signing key."""
    passphrase = read_password("Passphrase", twice=True) if passphrase_stdin else None
    if passphrase is not None and len(passphrase) < MIN_LENGTH:
        refuse(f"A passphrase has at least {MIN_LENGTH} characters.")
    try:
        outcome = backups.make(caller(), file, passphrase)
    except OSError as error:
        refuse(f"The backup could not be written, and {file} is not there: {error.strerror or error}.")
    if isinstance(outcome, BackupRefusal):
        refuse(_REFUSALS[outcome].format(file=file))
    _say_made(file, outcome, protected=passphrase is not None)


def _say_made(file: Path, made: BackupMade, *, protected: bool) -> None:
    signing = "the signing key" if made.signing_key else "not the signing key, which MFAPORTAL_SECRET_KEY holds"
    say(
        f"Wrote {file}: {count(made.size, 'byte', 'bytes')}; the database,"
        f" {count(made.files, 'file', 'files')} of datasets, the key ring, and {signing}."
    )
    if not protected:
        say("Whoever reads this file can log in as anybody: keep it as you keep a key, or use --passphrase-stdin.")
    if made.missing:
        refuse(
            f"It lacks {count(len(made.missing), 'file', 'files')} of datasets, missing or damaged on the disk:"
            f" {', '.join(made.missing)}"
        )


@click.command("restore")
@_file
@click.option("--force", is_flag=True, help="Move the installation that is here aside, and take its place.")
@click.option("--void-recovery-codes", is_flag=True, help="Make all recovery codes void, too.")
@_passphrase
@with_appcontext
def restore(file: Path, force: bool, void_recovery_codes: bool, passphrase_stdin: bool) -> None:
    """Put a backup in the place of this installation, with the server stopped. All logins end, all links are void."""
    passphrase = read_password("Passphrase") if passphrase_stdin else None
    settings = installation.settings_or_refuse()
    wish = Wish(file, passphrase, force=force, void_recovery_codes=void_recovery_codes)
    installation.let_go()
    try:
        restored = restoring.restore(settings, installation.caller(settings), wish)
    except (CannotRestore, SettingError) as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"The backup could not be restored, and nothing was changed: {error.strerror or error}.")
    _say_restored(restored, void_recovery_codes=void_recovery_codes)


def _say_restored(restored: Restored, *, void_recovery_codes: bool) -> None:
    done = restored.cleansed
    when = f"{datetime.fromisoformat(restored.made_at):%Y-%m-%d %H:%M} UTC"
    say(f"Restored the installation as it was on {when}: {count(restored.accounts, 'account', 'accounts')}.")
    if any(path.is_file() for path in restored.old.rglob("*")):
        say(f"What was here before is in {restored.old}; delete it when you are sure.")
    say(
        f"Ended {count(done.logins, 'login', 'logins')}, made {count(done.links, 'link', 'links')} void, dropped"
        f" {count(done.mails, 'unsent mail', 'unsent mails')}. No code that was shown before now is taken any more."
    )
    if void_recovery_codes:
        say("All recovery codes are void; people make new ones under Account > Security.")
    if not restored.signing_key:
        say("The backup holds no signing key; the one of this installation stays.")
    if restored.missing:
        say(f"Files of datasets that the backup never held: {', '.join(restored.missing)}")
    say(f"A restore cannot know what happened after {when}. Look whether any of it has to be done again:")
    for line in _unknown(void_recovery_codes=void_recovery_codes):
        say(f"  - {line}")


def _unknown(*, void_recovery_codes: bool) -> list[str]:
    lines = [
        f"people suspended, removed or given another role since are what they were before: {FLASK} accounts list",
        "passwords changed and apps deleted since are the old ones again: after a theft or a loss, reset them again",
        f"MFA rules and sign-up are as they were: {FLASK} mfa status",
        "access requests answered since wait again; accounts made since are gone",
    ]
    if not void_recovery_codes:
        lines.insert(2, "recovery codes used since work once more; --void-recovery-codes makes all of them void")
    return lines
