"""What every report has: numbers summed up, JSON written whole, tables a person can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import json
from pathlib import Path

import cv2
import numpy as np
from rganet_ros import viz
from rganet_ros.dataset import read_picture, write_file
from rich.console import Console
from rich.table import Table


def percentiles(values: Iterable[float], at: Sequence[int] = (50, 95)) -> dict[str, float | None]:
    """Give {'p50': ..., 'p95': ...}, rounded to 0.01; None where there are no values."""
    values = list(values)
    if not values:
        return {f'p{q}': None for q in at}
    return {f'p{q}': round(float(v), 2) for q, v in zip(at, np.percentile(values, at))}


def write_json(path: str | Path, content) -> None:
    """Write JSON whole or not at all; NaN, which JSON does not have, becomes null."""
    write_file(Path(path), (json.dumps(plain(content), indent=2, allow_nan=False) + '\n').encode())


def write_picture(path: str | Path, rgb: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB in the format of the path's suffix."""
    good, data = cv2.imencode(Path(path).suffix, rgb[..., ::-1])
    if not good:
        raise ValueError(f'{path}: no such format of pictures')
    write_file(Path(path), data.tobytes())


def write_sheet(path: str | Path, pictures: Sequence, captions=None, most=24) -> None:
    """
    Write a contact sheet of at most `most` pictures, evenly picked, four in a row.

    pictures  (H, W, 3) uint8 RGB, or paths of files that hold them
    """
    picked = np.unique(np.linspace(0, len(pictures) - 1, min(most, len(pictures))).astype(int))
    words = None if captions is None else [captions[i] for i in picked]
    shown = [pictures[i] for i in picked]
    shown = [each if isinstance(each, np.ndarray) else read_picture(each) for each in shown]
    write_picture(path, viz.sheet(shown, 4, words))


def print_table(title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns."""
    table = Table(title=title, show_header=False, title_justify='left')
    for name, value in rows:
        table.add_row(name, '-' if value is None else str(value))
    Console().print(table)


def plain(value):
    """Give a value as JSON has it: numpy's numbers as Python's, NaN as None, what else as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)
