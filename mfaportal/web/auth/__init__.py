"""Becoming somebody: welcome, log in, the code, set-up, step-up, one-time links, log out."""

from . import invitation, links, log_in, second_factor, set_up, step_up, welcome
from ._blueprint import blueprint

__all__ = ["blueprint", "invitation", "links", "log_in", "second_factor", "set_up", "step_up", "welcome"]
