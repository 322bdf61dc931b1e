"""The portal as it is, which trusts a proxy on this machine."""

from mfaportal import create_app

app = create_app()
