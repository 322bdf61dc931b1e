"""What readers see."""

from .home import blueprint

__all__ = ["blueprint"]
