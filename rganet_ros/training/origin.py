"""What a model was trained for, as its checkpoint noted it: which classes, for which cup."""

from __future__ import annotations

from typing import NamedTuple

from rganet_ros.types import CLASSES


class Cup(NamedTuple):
    """A cup that labels were made for: its name in the generator's recipe, the lip's radius, m."""

    name: str
    radius: float


def classes(about: dict) -> tuple[str, ...]:
    """
    Name the classes that a checkpoint tells, by id.

    about  as networks.notes gives it; where it names none they are ours if there are as many, and
           else numbered
    """
    noted = about.get('made', {}).get('classes')
    count = about['config']['classes']
    if noted is None:
        noted = CLASSES if count == len(CLASSES) else [f'class {index}' for index in range(count)]
    return tuple(noted)


def cup(card: dict) -> Cup | None:
    """
    Tell the cup of a data set's card, or of a mixture's: folder -> weight and card.

    None where none is named, or where the parts of a mixture name different ones.
    """
    parts = [part.get('card', {}) for part in card.values() if isinstance(part, dict)]
    if 'cup' not in card and any(parts):
        found = {cup(part) for part in parts}
        return found.pop() if len(found) == 1 else None
    if 'radius' not in card.get('cup', {}):
        return None
    names = {made.get('recipe', {}).get('cup', '') for made in card.get('splits', {}).values()}
    return Cup(names.pop() if len(names) == 1 else '', float(card['cup']['radius']))
