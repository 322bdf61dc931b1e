"""What a start does before it serves: `python -m mfaportal` migrates and prints where the portal is."""

import sys

from . import create_app
from .domain import accounts, backups, catalogue, clock_watch
from .domain.caller import the_portal_itself
from .plumbing import engines, migrations
from .plumbing.config import SettingError
from .plumbing.runtime import runtime


def main() -> int:
    """Make or migrate the database, print the address, and the welcome link while there is no account."""
    try:
        _prepare()
    except SettingError as error:
        print(f"mfaportal: {error}", file=sys.stderr)
        return 1
    return 0


def _prepare() -> None:
    app = create_app()
    with app.app_context(), engines.refused_in_words():
        migrations.migrate(runtime().settings)
        clock_watch.watch(the_portal_itself())
        catalogue.sweep_files(runtime().now())
        backups.sweep()
        settings, keys = runtime().settings, runtime().keys
        print(f"The portal is at {settings.public_url}")
        if accounts.none_yet():
            print(f"Make the first account at {settings.public_url}/welcome?token={keys.welcome_token}")


if __name__ == "__main__":
    sys.exit(main())
