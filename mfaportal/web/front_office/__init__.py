"""What readers see."""

from . import access_requests, datasets
from .home import blueprint

__all__ = ["access_requests", "blueprint", "datasets"]
