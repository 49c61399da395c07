"""Draw a network from its modules: what runs, in which order, at which scale, fed by what."""

from __future__ import annotations

from functools import partial
import math
from typing import NamedTuple
from xml.sax.saxutils import escape

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

WIDE, HIGH = 150, 34  # of a box, pixels
ACROSS, DOWN = 180, 52  # from one box to the next


class Box(NamedTuple):
    """
    A part of a network.

    name    of its module; kind, of its class
    shape   (C, h, w) of what it gives; scale, how much smaller than the picture that is
    inputs  numbers of the boxes that it reads, in the list that `trace` returns
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    scale: int
    inputs: tuple[int, ...]


class _Flow(TorchFunctionMode):
    """While a network runs: which boxes each tensor comes from."""

    def __init__(self):
        super().__init__()
        self.origin: dict[int, frozenset[int]] = {}
        self.held = []  # so that no tensor's id is given to another
        self.inside = 0

    def of(self, tensors) -> frozenset[int]:
        """Join the boxes that these come from."""
        return frozenset().union(
            *(self.origin.get(id(x), ()) for x in tree_leaves(tensors) if torch.is_tensor(x))
        )

    def mark(self, tensors, boxes: frozenset[int]) -> None:
        """Say that these come from those boxes."""
        for x in tree_leaves(tensors):
            if torch.is_tensor(x):
                self.origin[id(x)] = boxes
                self.held.append(x)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Between parts, what is added or joined comes from all that went into it."""
        out = function(*args, **(kwargs or {}))
        if not self.inside and any(torch.is_tensor(x) for x in tree_leaves(out)):
            self.mark(out, self.of((args, kwargs or {})))
        return out


def parts(network: nn.Module) -> dict[str, nn.Module]:
    """List what is drawn as a box: the network's children, and each of a list of them."""
    found = {}
    for name, module in network.named_children():
        if isinstance(module, nn.ModuleList):
            found |= {f'{name} {i + 1}': each for i, each in enumerate(module)}
        else:
            found[name] = module
    return found


def trace(network: nn.Module, size: tuple[int, int]) -> list[Box]:
    """Run a network on shapes alone; a part that gives several maps is as many boxes."""
    network = network.to('meta').eval()
    height, width = size
    boxes = [Box('image', '', (3, height, width), 1, ())]
    flow = _Flow()

    def before(module, given):
        flow.inside += 1

    def after(name, module, given, output):
        flow.inside -= 1
        if flow.inside:
            return
        inputs = tuple(sorted(flow.of(given)))
        for x in tree_leaves(output):
            if not torch.is_tensor(x) or x.ndim != 4:
                continue
            shape = tuple(x.shape[1:])
            scale = 2 ** round(math.log2(height / shape[1]))
            boxes.append(Box(name, type(module).__name__, shape, scale, inputs))
            inputs = (len(boxes) - 1,)
            flow.mark(x, frozenset(inputs))

    for name, module in parts(network).items():
        module.register_forward_pre_hook(before)
        module.register_forward_hook(partial(after, name))
    image = torch.zeros(1, 3, height, width, device='meta')
    state = network.new_state(1, 'meta')
    flow.mark(image, frozenset([0]))
    with torch.no_grad(), flow:
        out = network(image, image[:, :1], **state)['logits']
    shape = tuple(out.shape[1:])
    return _read([*boxes, Box('logits', '', shape, 1, tuple(sorted(flow.of(out))))])


def _read(boxes: list[Box]) -> list[Box]:
    """Leave out what leads to nothing: maps that only training reads."""
    kept, waiting = set(), [len(boxes) - 1]
    while waiting:
        number = waiting.pop()
        if number not in kept:
            kept.add(number)
            waiting += boxes[number].inputs
    new = {old: i for i, old in enumerate(sorted(kept))}
    return [boxes[old]._replace(inputs=tuple(new[i] for i in boxes[old].inputs)) for old in new]


def svg(boxes: list[Box]) -> str:
    """Draw boxes in columns by scale, finest left, each below all that it reads."""
    scales = sorted({box.scale for box in boxes})
    rows: list[int] = []
    taken = set()
    for box in boxes:
        row = max((rows[i] + 1 for i in box.inputs), default=0)
        while (row, box.scale) in taken:
            row += 1
        taken.add((row, box.scale))
        rows.append(row)
    places = [
        (20 + scales.index(box.scale) * ACROSS, 40 + row * DOWN) for box, row in zip(boxes, rows)
    ]
    width, height = 20 + len(scales) * ACROSS, 60 + (max(rows) + 1) * DOWN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11" '
        'text-anchor="middle">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for k, scale in enumerate(scales):
        lines.append(
            f'<text x="{20 + k * ACROSS + WIDE / 2}" y="24" fill="#666">'
            f'{f"1/{scale}" if scale > 1 else "full size"}</text>'
        )
    for box, (x, y) in zip(boxes, places):
        lines += [_line(places[i], (x, y)) for i in box.inputs]
    lines += [_box(box, place) for box, place in zip(boxes, places)]
    return '\n'.join([*lines, '</svg>', ''])


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x0, y0, x1, y1 = start[0] + WIDE / 2, start[1] + HIGH, end[0] + WIDE / 2, end[1]
    if x0 == x1 and y1 - y0 > DOWN:  # past other boxes: around them
        side = start[0] + WIDE + 14
        path = f'M{start[0] + WIDE},{y0 - HIGH / 2} H{side} V{y1 + HIGH / 2} H{start[0] + WIDE}'
    else:
        middle = (y0 + y1) / 2 if y1 - y0 < DOWN else y1 - (DOWN - HIGH) / 2
        path = f'M{x0},{y0} C{x0},{middle} {x1},{middle - 6} {x1},{y1}'
    return f'<path d="{path}" fill="none" stroke="#888"/>'


def _box(box: Box, place: tuple[int, int]) -> str:
    x, y = place
    attends = 'atten' in f'{box.name} {box.kind}'.lower()
    colour = '#fde9c9' if attends else '#dbe7f3'
    middle = x + WIDE / 2
    below = ' x '.join(map(str, box.shape)) + (f'  {box.kind}' if box.kind else '')
    return (
        f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="4" fill="{colour}" '
        f'stroke="#556"/><text x="{middle}" y="{y + 14}">{escape(box.name)}</text>'
        f'<text x="{middle}" y="{y + 27}" font-size="9" fill="#444">{escape(below)}</text>'
    )
