"""Scores of one or several models for a person: tables, a page, a plot of score against time."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import cv2
from rganet_ros import html, report, viz
from rganet_ros.dataset import write_file
from rganet_ros.types import CLASSES, SUCTIONABLE
from rich.table import Table

# Of the suctionable class, over pictures: what RGANet's tables and its figure 5 have.
BY_FRAME = {
    'accuracy': 'accuracy', 'precision': 'precision', 'recall': 'recall', 'iou': 'Jaccard',
    'dice': 'Dice', 'mcc': 'MCC', 'mgrid': 'MGRID',
}  # fmt: skip
TOPS = {
    'top_1': 'Top-1', 'top_1_percent': 'Top-1 %', 'top_5_percent': 'Top-5 %',
    'top_10_percent': 'Top-10 %', 'best_pixel': 'best pixel', 'average_precision': 'AP of places',
}  # fmt: skip
WIDTH = 1200  # pixels of a row of four pictures

COSTS = ('parameters', 'mul-adds')
# RGANet, Tables I to III, the 367 pictures of Zeng's test split, 255 as background; V100. Its
# FLOPs, 1.57 G and 1.83 G, are a fifth of the multiply-adds.
PUBLISHED = {
    'RGANet5-NB': (47.16, 63.36, 37.92, 50.60, 34.58, '3.41 M', '7.85 G', 7.51),
    'RGANet5-B3': (50.52, 58.92, 37.84, 50.44, 34.20, '3.67 M', '9.17 G', 7.45),
}
PUBLISHED_TOP = {  # Zeng et al.
    'normals': (35.2, 55.4, 46.7, 38.5),
    'Dex-Net 3.0': (69.3, 71.8, 62.5, 53.4),
    'ConvNet (ResNet-101)': (92.4, 83.4, 66.0, 52.0),
}

Rows = list[list[str]]


def by_class(found: dict) -> tuple[list[str], Rows]:
    """Lay out what is pooled over all pixels: a row a class, in percent."""
    names = ('iou', 'frame_iou', 'precision', 'recall', 'dice', 'mcc')
    return ['class', 'IoU', 'IoU a frame', 'precision', 'recall', 'Dice', 'MCC'], [
        [name, *(_percent(found[each][index]) for each in names)]
        for index, name in enumerate(found['classes'])
    ]


def by_model(rows: list[dict]) -> tuple[list[str], Rows]:
    """Lay out means and deviations over pictures, of suctionable, and cost: a row a model."""
    names = [name for name in BY_FRAME if name in rows[0]['per_frame']]
    return ['model', *(BY_FRAME[name] for name in names), *COSTS, 'ms'], [
        [
            row['model'],
            *(' ± '.join(map(_percent, row['per_frame'][name])) for name in names),
            _scaled(row['parameters'], 1e6, 'M'),
            _scaled(row['multiply_adds'], 1e9, 'G'),
            f'{row["ms"]:.1f}',
        ]
        for row in rows
    ]


def tops(rows: list[dict]) -> tuple[list[str], Rows]:
    """Lay out what is pooled over pictures, of the suctionable class: a row a model."""
    return ['model', 'Jaccard', 'MGRID', *TOPS.values()], [
        [
            row['model'],
            _percent(row['iou'][SUCTIONABLE]),
            _percent(row['pooled_mgrid']),
            *(_percent(row[name]) for name in TOPS),
        ]
        for row in rows
    ]


def candidates(rows: list[dict]) -> tuple[list[str], Rows]:
    """Lay out how far candidates are from the true surface: a row a model."""
    names = ('point_mm', 'normal_degrees')
    head = ['model', 'candidates', 'labelled suctionable, %', 'point, mm: median', '95 %']
    return [*head, 'normal, degrees: median', '95 %'], [
        [
            row['model'],
            str(found['count']),
            _percent(found['suctionable']),
            *('-' if x is None else f'{x:.2f}' for name in names for x in found[name].values()),
        ]
        for row in rows for found in [row['candidates']]
    ]  # fmt: skip


def _laid_out(rows: list[dict]) -> Iterable[tuple[str, tuple[list[str], Rows]]]:
    """Give every table with its title."""
    for row in rows:
        title = f'{row["model"]}: pooled over the pixels of all frames, %'
        if 'flicker' in row:
            title += f'; flicker {100 * row["flicker"]:.2f} % of pixels a frame'
        yield title, by_class(row)
    suction = tuple(rows[0]['classes']) == CLASSES
    what = 'suctionable' if suction else 'all classes'
    yield f'{what}: mean ± standard deviation over frames, %', by_model(rows)
    if suction:
        yield 'suctionable: pooled over frames, %', tops(rows)
    if all('candidates' in row for row in rows):
        yield 'candidates with depth, by default, against the true surface', candidates(rows)


def about(rows: list[dict]) -> str:
    """Say in a sentence what was scored, how label 255 was read, and what does not fit."""
    row = rows[0]
    reading = {
        'ignore': 'only labelled pixels count (255 is ignored)',
        'background': 'all pixels count (255 is background)',
        'ignore and background': '255 is what each data set says',
    }[row['unlabelled']]
    text = f'{row["data"]}, split {row["split"]}, {row["frames"]} frames; {reading}'
    if row['gamma_at_zero'] == 'code':
        text += '; MGRID as in the code of its authors'
    labelled = row['labels_for']
    for each in rows:
        if labelled and each['cup'] not in ('', labelled):
            text += f'; labels are for the cup {labelled}, {each["model"]} is for {each["cup"]}'
    return text + (f'; smoothed, {row["smooth"]:g} of the new' if row['smooth'] else '')


def tables(rows: list[dict]) -> list[Table]:
    """Lay all out for a terminal; what was scored stands below the last."""
    found = []
    for title, (head, cells) in _laid_out(rows):
        table = Table(title=title, title_justify='left')
        for index, word in enumerate(head):
            table.add_column(word, justify='right' if index else 'left', overflow='fold')
        for row in cells:
            table.add_row(*row)
        found.append(table)
    found[-1].caption = about(rows)
    return found


def plot(rows: list[dict]) -> str:
    """Draw speed and accuracy: milliseconds a frame, and the mean Jaccard or accuracy; SVG."""
    name = 'iou' if 'iou' in rows[0]['per_frame'] else 'accuracy'
    points = [
        (row['ms'], 100 * row['per_frame'][name][0], Path(row['model']).name) for row in rows
    ]
    across = 'milliseconds a frame, median, on this machine'
    return html.scatter(points, across, f'{BY_FRAME[name]}, mean over frames, %')


def write_page(folder: Path, rows: list[dict], shown: list[dict]) -> None:
    """
    Write index.html: tables, plot, published figures, and pictures by model.

    Beside it comparison.svg, the plot, and pictures.jpg, of each model the best, the median and
    the worst frame.
    """
    parts = [f'<p>{escape(about(rows))}.</p>']
    for title, (head, cells) in _laid_out(rows):
        parts += [f'<h2>{escape(title)}</h2>', html.table(head, cells)]
    if len(rows) > 1:
        drawn = plot(rows)
        write_file(folder / 'comparison.svg', drawn.encode())
        parts += ['<h2>Speed and accuracy</h2>', drawn]
    if tuple(rows[0]['classes']) == CLASSES:
        parts += [
            '<h2>Published, on the test split of Zeng et al., %</h2>',
            html.table(
                ['model', 'precision', 'recall', 'Jaccard', 'Dice', 'MGRID', *COSTS, 'ms, V100'],
                ([name, *values] for name, values in PUBLISHED.items()),
            ),
            html.table(
                ['model', *list(TOPS.values())[:4]],
                ([name, *values] for name, values in PUBLISHED_TOP.items()),
            ),
        ]
    for row, kept in zip(rows, shown):
        for name, each in kept.items():
            parts += [f'<h2>{escape(row["model"])}: {name}</h2>']
            parts += [_figure(frame) for frame in each]
    write_file(folder / 'index.html', html.page('rganet evaluate', '\n'.join(parts)).encode())
    firsts = {
        f'{row["model"]}, {name}: {_said(each[0])}': each[0].picture
        for row, kept in zip(rows, shown) for name, each in kept.items() if each
    }  # fmt: skip
    if firsts:
        sheet = viz.sheet([*firsts.values()], 1, [*firsts])
        height = round(sheet.shape[0] * WIDTH / sheet.shape[1])
        small = cv2.resize(sheet, (WIDTH, height), interpolation=cv2.INTER_AREA)
        report.write_picture(folder / 'pictures.jpg', small)


def _figure(frame) -> str:
    image = html.image(frame.picture, _said(frame), WIDTH)
    return f'<figure>{image}<figcaption>{escape(_said(frame))}</figcaption></figure>'


def _said(frame) -> str:
    return f'{frame.name}: {_percent(frame.value)} % · picture, true, answered, affordance'


def _percent(value: float) -> str:
    return f'{100 * value:.1f}' if value == value else '-'


def _scaled(value: int | None, unit: float, letter: str) -> str:
    return '-' if value is None else f'{value / unit:.2f} {letter}'
