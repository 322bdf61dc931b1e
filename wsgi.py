"""What servers and `flask --app wsgi` load."""

import gc

gc.disable()  # a start makes little garbage; looking for it takes a tenth of the time

from mfaportal import after_refusal, create_app  # noqa: E402  # after the line above
from mfaportal.plumbing.config import SettingError  # noqa: E402

try:
    app = create_app()
except SettingError as error:
    app = after_refusal(error)

gc.freeze()  # what is there now stays: the collector need not look through it again and again
gc.enable()
