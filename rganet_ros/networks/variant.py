"""A published variant of a network: its Config and what was claimed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# How far a published figure can be believed to describe the Config beside it.
PROVEN = 'proven'  # the published counts come out to the last digit
AUTHORS = "authors' code"  # the structure is that of the authors' code; counts were not published
INFERRED = 'inferred'  # a reading that fits a published count where the paper leaves it open
OURS = 'our interpretation'  # the paper does not say enough, and nothing published can tell
LOST = 'irreproducible'  # no reading gives the published figure


@dataclass(frozen=True)
class Variant:
    """
    A row of a network's table.

    config     classes are those of this package; the paper's own are `classes`
    size       (height, width) at which the paper counts
    classes    with which the paper counts
    published  its figures, with the accounting that they are in
    status     one of the above
    """

    config: Any
    size: tuple[int, int]
    classes: int
    published: str
    status: str
