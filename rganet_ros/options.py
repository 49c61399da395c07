"""
Options are fields of frozen dataclasses, described once and read everywhere.

    min_score: Annotated[float, Range(0, 1), 'least score of a candidate'] = 0.3

The node declares its ROS parameters from them, `rganet replay` reads them from YAML, tests make
them directly: one place for the name, the type, the default, the range, the unit and the text.
"""

from __future__ import annotations

from array import array
import dataclasses
import math
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, NamedTuple, TypeVar

import yaml

T = TypeVar('T')


# The types of options, in words.
KINDS = {
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number',
    str: 'a text',
    tuple: 'a list of numbers',
    dict: 'a mapping',
}


class Range(NamedTuple):
    """Inclusive bounds of a number, or of each number of a tuple."""

    low: float
    high: float


class OneOf(NamedTuple):
    """The texts that are accepted."""

    values: tuple[str, ...]


class Option(NamedTuple):
    """One field, as it was described."""

    name: str
    type: type
    default: Any
    bounds: Range | OneOf | None
    text: str


def options_of(cls: type) -> dict[str, Option]:
    """List the fields of an options dataclass, in their order."""
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for field in dataclasses.fields(cls):
        kind, *notes = get_args(hints[field.name])
        bounds = next((note for note in notes if isinstance(note, (Range, OneOf))), None)
        text = next(note for note in notes if isinstance(note, str))
        found[field.name] = Option(
            field.name, get_origin(kind) or kind, field.default, bounds, text
        )
    return found


def read(cls: type[T], path: str | Path, **changes) -> T:
    """Make options from a YAML file, some of them changed; ValueError names file and fault."""
    values = read_yaml(path)
    try:
        return make(cls, values | changes)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def read_yaml(path: str | Path) -> dict:
    """Read a YAML file of `name: value` lines."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding='utf-8')) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, 'problem_mark', None)
        line = f' (line {where.line + 1})' if where else ''
        raise ValueError(f'{path} is not readable YAML{line}') from None
    if not isinstance(values, dict):
        raise ValueError(f'{path} must hold `name: value` lines, not {type(values).__name__}')
    return values


def make(cls: type[T], values: dict[str, Any]) -> T:
    """
    Make options from plain values (YAML, ROS parameters), checked as a set.

    Raises ValueError, in one sentence, on an unknown name, a wrong type or a value out of bounds.
    """
    known = options_of(cls)
    for name in values:
        if name not in known:
            raise ValueError(f'unknown option {name!r}: expected one of {", ".join(known)}')
    return cls(**{name: _accept(known[name], value) for name, value in values.items()})


def _accept(option: Option, value: Any) -> Any:
    kind = option.type
    if kind is tuple:
        fits = isinstance(value, (list, tuple, array)) and {*map(type, value)} <= {int, float}
    else:
        fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits:
        raise ValueError(f'{option.name} = {value!r} must be {KINDS[kind]}')
    value = tuple(map(float, value)) if kind is tuple else kind(value)
    if isinstance(option.bounds, OneOf) and value not in option.bounds.values:
        accepted = ', '.join(option.bounds.values)
        raise ValueError(f'{option.name} = {value!r} must be one of {accepted}')
    if isinstance(option.bounds, Range):
        low, high = option.bounds
        numbers = value if kind is tuple else (value,)
        if not all(math.isfinite(number) and low <= number <= high for number in numbers):
            raise ValueError(f'{option.name} = {value!r} must be in {low}..{high}')
    return value
