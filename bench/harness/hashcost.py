"""Run inside a system's environment: prints the milliseconds its own hasher takes
to verify a password (apps/NAME/passwords.py).
"""

from importlib import import_module

from bench.harness.stats import time_call
from bench.harness.users import PASSWORD

hasher = import_module("passwords")
stored = hasher.hash_password(PASSWORD)
if not hasher.verify_password(PASSWORD, stored):
    raise SystemExit("the right password is refused")
print(1000 * time_call(lambda: hasher.verify_password(PASSWORD, stored), 1.0))
