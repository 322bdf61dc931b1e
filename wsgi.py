"""What servers and `flask --app wsgi` load."""

from mfaportal import after_refusal, create_app
from mfaportal.plumbing.config import SettingError

try:
    app = create_app()
except SettingError as error:
    app = after_refusal(error)
