"""The portal as it is, which trusts a proxy on this machine."""

from wsgi import app

__all__ = ["app"]
