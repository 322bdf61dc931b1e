"""What editors and admins work in."""

from .desk import blueprint

__all__ = ["blueprint"]
