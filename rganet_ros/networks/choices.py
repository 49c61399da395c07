"""Refuse what a Config cannot be."""

from __future__ import annotations

from collections.abc import Iterable


def one_of(config: object, **accepted: Iterable[str]) -> None:
    """Check fields of a Config, by name, against what is accepted; ValueError names the first."""
    for name, known in accepted.items():
        value = getattr(config, name)
        if value not in known:
            raise ValueError(f'{name} = {value!r} must be one of {", ".join(known)}')
