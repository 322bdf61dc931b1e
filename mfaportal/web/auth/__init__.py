"""Becoming somebody: welcome, log in, the code, set-up, step-up, one-time links, log out."""

from . import (
    confirm_address,
    confirm_email,
    forgot_password,
    invitation,
    links,
    log_in,
    recovery,
    second_factor,
    set_up,
    step_up,
    welcome,
)
from ._blueprint import blueprint

__all__ = [
    "blueprint",
    "confirm_address",
    "confirm_email",
    "forgot_password",
    "invitation",
    "links",
    "log_in",
    "recovery",
    "second_factor",
    "set_up",
    "step_up",
    "welcome",
]
