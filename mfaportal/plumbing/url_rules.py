"""A rule of the URL map that compiles its way of writing an address when one is written first.

Werkzeug compiles two small functions a rule where it is bound, a fifth of a millisecond each; a start binds some two
hundred of them.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """Were Werkzeug to rename what is overridden here, rules would work as before, and a start take longer."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: LateRule, /, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            written = compiled[0].__get__(rule, None)
            setattr(rule, "_build_unknown" if append_unknown else "_build", written)
            found: tuple[str, str] = written(**values)
            return found

        return build
