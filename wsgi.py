"""What servers and `flask --app wsgi` load."""

import sys

from mfaportal import create_app
from mfaportal.plumbing.config import SettingError

try:
    app = create_app()
except SettingError as error:
    sys.exit(f"mfaportal: {error}")
