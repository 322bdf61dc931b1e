"""What servers and `flask --app wsgi` load."""

import gc

from mfaportal import after_refusal, create_app
from mfaportal.plumbing.config import SettingError

try:
    app = create_app()
except SettingError as error:
    app = after_refusal(error)

gc.freeze()  # what is there now stays: the collector need not look through it again and again
