"""What editors and admins work in."""

from . import datasets
from .desk import blueprint

__all__ = ["blueprint", "datasets"]
