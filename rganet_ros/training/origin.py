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


def cups(card: dict) -> set[Cup | None]:
    """Tell the cups of a data set's card, or of a mixture's: folder -> weight and card."""
    parts = [part.get('card', {}) for part in card.values() if isinstance(part, dict)]
    if 'cup' not in card and any(parts):
        return set().union(*map(cups, parts))
    if 'radius' not in card.get('cup', {}):
        return {None}
    names = {made.get('recipe', {}).get('cup', '') for made in card.get('splits', {}).values()}
    return {Cup(names.pop() if len(names) == 1 else '', float(card['cup']['radius']))}


def cup(card: dict) -> Cup | None:
    """Tell the cup of a card; None where none is named, or the parts of a mixture differ."""
    found = cups(card)
    return found.pop() if len(found) == 1 else None


def check(card: dict) -> None:
    """Refuse labels that contradict each other, as they are for different cups: ValueError."""
    named = {f'{each.name} {1000 * each.radius:g} mm'.strip() for each in cups(card) if each}
    if len(named) > 1:
        raise ValueError(
            f'the data sets are labelled for different cups, {" and ".join(sorted(named))}: a '
            'model is for one, train it on sets of that'
        )
