"""Everything Headway raises or warns about on purpose, under one root.

A message says what was wrong, what exists and what to try. It never quotes a value taken from a log.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: Names listed in a message at most.
_SHOWN = 30


class HeadwayError(Exception):
    """Root of every error Headway raises on purpose."""


class InputError(HeadwayError):
    """The caller gave something that cannot be used: a name, a path, an option."""

    @classmethod
    def unknown(cls, kind: str, name: str, available: Iterable[str]) -> InputError:
        """Builds the error for a name that does not exist.

        Args:
            kind: What the name was meant to be, for example ``"event"``.
            name: The name that was given.
            available: The names that exist.

        Returns:
            The error, with the closest existing names as a hint.

        Examples:
            >>> print(InputError.unknown("event", "Sign Up", ["Signed Up", "Payment"]))
            unknown event 'Sign Up'. Did you mean 'Signed Up'? Available: 'Payment', 'Signed Up'.
        """
        names = sorted(available)
        close = get_close_matches(name, names, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        shown = ", ".join(repr(n) for n in names[:_SHOWN]) + (
            f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        )
        return cls(f"unknown {kind} {name!r}.{hint} Available: {shown or 'none'}.")


class DefinitionError(InputError):
    """A YAML file of the workspace does not say what it must; carries file and line."""


class EngineError(HeadwayError):
    """The database refused a statement; the message is stripped of values."""


class HeadwayWarning(UserWarning):
    """Computed, but read the caveat."""
