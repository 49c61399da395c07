"""The page of a replay: one file with numbers, a timeline and pictures; it needs no script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from rganet_ros import html
from rganet_ros.dataset import read_picture, write_file

MOST = 240  # pictures in the page, evenly picked; the others are in the folder
WIDTH = 400  # pixels of a picture
HEIGHT, BAR = 60, 6  # pixels of a line of the timeline, and of a frame in it

STYLE = f"""
 .line {{ overflow-x: auto }} svg a:hover rect {{ fill: #f08200 }} .bad {{ color: #b00020 }}
 figure {{ max-width: {WIDTH}px }} figure:target {{ outline: 4px solid #f08200 }}
"""

BODY = Template("""<p>$frames frames; candidates: cup $cup mm$labels. Pictures: affordance as
a tint, the places for the cup numbered, the best in orange.</p>
$troubles
<h2>Models</h2>$models
<h2>Milliseconds</h2>$timings
<h2>Timeline</h2>
<p>A bar is a frame; it leads to its picture.</p>
$timeline
<h2>Frames</h2>
<p>$shown</p>
$pictures""")


def write(
    path: Path,
    summary: dict,
    timings: dict,
    rows: list[dict],
    times: list[dict],
    pictures: Mapping[tuple[str, str], Path],
) -> None:
    """Write the page; `pictures` are files by frame and model."""
    models = list(summary['scores'])
    picked = _picked(len(rows))
    names = list(next(iter(summary['scores'].values()), {}))
    labels = summary['labels']
    said = f'; labels from {labels["folder"]}, 255 is {labels["unlabelled"]}' if labels else ''
    body = BODY.substitute(
        frames=summary['frames'],
        cup=f'{1e3 * summary["candidate_options"]["cup_radius"]:g}',
        labels=escape(said),
        troubles=_troubles([*summary['cut_off'], *summary['not_used']]),
        models=html.table(
            ['', *models],
            ([name.replace('_', ' '), *(summary['scores'][m][name] for m in models)]
             for name in names),
        ),
        timings=html.table(
            ['', 'stage', 'p50', 'p95', 'p99'],
            ([model, stage, *values.values()] for model in models
             for stage, values in timings[model].items()),
        ),
        timeline=''.join(_timelines(models, rows, times, picked)),
        shown=f'{len(picked)} of {len(rows)} pictures; all of them are in pictures/.',
        pictures='\n'.join(_figure(index, rows[index], pictures) for index in picked),
    )  # fmt: skip
    write_file(path, html.page('rganet replay', body, STYLE).encode())


def _picked(count: int) -> list[int]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(int)).tolist()


def _troubles(sentences: list[str]) -> str:
    return ''.join(f'<p class="bad">{escape(each)}</p>' for each in sentences)


def _timelines(models, rows, times, picked: list[int]):
    """Draw, for each model, what a frame has: its best score, its number of places, its time."""
    there = np.array(picked)
    for model in models:
        mine = [index for index, row in enumerate(rows) if row['model'] == model]
        found = [rows[index]['candidates'] for index in mine]
        lines = {
            'best score': [each[0]['score'] if each else 0 for each in found],
            'candidates': [len(each) for each in found],
            'milliseconds': [times[index]['ms']['total'] for index in mine],
            'flicker': [rows[index].get('flicker') or 0 for index in mine],
            'IoU': [rows[index].get('iou') or 0 for index in mine],
        }
        yield f'<h3>{escape(model)}</h3>'
        # Every bar leads to the nearest picture that is in the page.
        leads = [int(there[np.abs(there - index).argmin()]) for index in mine]
        for name, values in lines.items():
            if any(values):
                yield _timeline(name, values, leads, [rows[index]['name'] for index in mine])


def _timeline(title: str, values: list[float], leads: list[int], names: list[str]) -> str:
    top = max(values)
    bars = []
    for index, (value, lead, name) in enumerate(zip(values, leads, names)):
        high = max(1, round(HEIGHT * value / top))
        bars.append(
            f'<a href="#f{lead}"><rect x="{BAR * index}" y="{HEIGHT - high}" width="{BAR - 1}" '
            f'height="{high}" fill="#31688e"><title>{escape(name)}: {value:.4g}</title></rect></a>'
        )
    return (
        f'<div>{title}, at most {top:.4g}</div><div class="line">'
        f'<svg width="{BAR * len(values)}" height="{HEIGHT}">{"".join(bars)}</svg></div>'
    )


def _figure(index: int, row: dict, pictures: Mapping[tuple[str, str], Path]) -> str:
    rgb = read_picture(pictures[row['name'], row['model']])
    best = f'best {row["candidates"][0]["score"]:.2f}' if row['candidates'] else 'nothing to pick'
    said = f'{row["name"]}, {row["model"]}: {len(row["candidates"])} places, {best}'
    shown = html.image(rgb, said, WIDTH)
    return f'<figure id="f{index}">{shown}<figcaption>{escape(said)}</figcaption></figure>'
