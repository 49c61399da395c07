"""
Prints: brands of invented words, photographs, stripes, small print, bar codes, cardboard marks.

Panels are PIL pictures in RGB; all text is drawn in the one font that comes inside Pillow.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rganet_ros.synthetic.textures import cardboard, Colour, colour, luminance, noise, to_uint8

SYLLABLES = [
    'ba', 'be', 'bi', 'bo', 'ca', 'co', 'da', 'de', 'do', 'fa', 'fi', 'fo', 'ga', 'go',
    'ka', 'ki', 'ko', 'la', 'le', 'li', 'lo', 'ma', 'me', 'mi', 'mo', 'na', 'ni', 'no',
    'pa', 'po', 'ra', 'ri', 'ro', 'sa', 'so', 'su', 'ta', 'ti', 'to', 'va', 'vi', 'za',
    'zo', 'cri', 'dro', 'fre', 'gla', 'pla', 'pro', 'sta', 'tri',
]  # fmt: skip
PAPER, INK = (250, 250, 248), (25, 25, 28)


class Print(NamedTuple):
    """What all panels of one thing share."""

    base: Colour
    accents: tuple[Colour, ...]
    brand: str
    style: str  # 'retail' | 'cardboard'


def word(rng: np.random.Generator) -> str:
    """Invent a word."""
    return ''.join(rng.choice(SYLLABLES, rng.integers(2, 4))).capitalize()


def draw_print(rng: np.random.Generator, cardboard_share: float = 0.0) -> Print:
    """Draw the colours and the brand of one thing."""
    base = colour(rng) if rng.random() < 0.75 else (int(rng.uniform(15, 245)),) * 3
    if rng.random() < 0.3:
        base = tuple(int(c) for c in rng.integers(215, 252, 3))
    accents = (*(colour(rng) for _ in range(3)), PAPER, INK)
    style = 'cardboard' if rng.random() < cardboard_share else 'retail'
    return Print(base, accents, word(rng), style)


@lru_cache(maxsize=256)
def _font(size: int):
    return ImageFont.load_default(size)


def _text(draw, rng, text: str, box, fill: Colour, outline: Colour | None = None) -> None:
    """Write text as large as fits into box (x0, y0, x1, y1), light or bold by chance."""
    x0, y0, x1, y1 = box
    bold = int(rng.integers(0, 3)) if y1 - y0 > 24 else 0
    size = max(6, int(y1 - y0))
    while size > 6:
        left, top, right, bottom = draw.textbbox((0, 0), text, _font(size), stroke_width=bold)
        if right - left <= x1 - x0 and bottom - top <= (y1 - y0) * 1.1:
            break
        size = int(size * 0.88)
    left, top, right, bottom = draw.textbbox((0, 0), text, _font(size), stroke_width=bold)
    place = ((x0 + x1 - left - right) / 2, (y0 + y1 - top - bottom) / 2)
    draw.text(
        place, text, fill, _font(size),
        stroke_width=bold + (outline is not None), stroke_fill=outline or fill,
    )  # fmt: skip


def _bar_code(draw, rng, x: float, y: float, width: float, height: float) -> None:
    draw.rectangle([x, y, x + width, y + height], fill=PAPER)
    at = x + 3
    while at < x + width - 4:
        bar = int(rng.integers(1, 4))
        draw.rectangle([at, y + 3, at + (bar - 1), y + height - 3], fill=INK)
        at += bar + int(rng.integers(1, 4))


def _small_print(draw, rng, box, fill: Colour) -> None:
    x0, y0, x1, y1 = box
    y = y0
    while y < y1:
        x = x0
        while x < x1:
            length = rng.uniform(3, 16)
            draw.rectangle([x, y, min(x + length, x1), y + 1.5], fill=fill)
            x += length + 3
        y += 6


def _photograph(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Soft blobs of three colours: what a picture on a pack looks like from a metre away."""
    first, second = (noise(rng, height, width, int(rng.integers(2, 7)))[..., None] for _ in '12')
    colours = np.array([colour(rng, 0.3, 0.3) for _ in range(3)], np.float32)
    a, b = 1 / (1 + np.exp(-2 * first)), 1 / (1 + np.exp(-3 * second))
    picture = (colours[0] * a + colours[1] * (1 - a)) * b + colours[2] * (1 - b)
    return Image.fromarray(to_uint8(picture + 6 * rng.standard_normal((height, width, 1))))


def _background(rng, width: int, height: int, look: Print) -> Image.Image:
    picture = Image.new('RGB', (width, height), look.base)
    draw, chance = ImageDraw.Draw(picture), rng.random()
    if chance < 0.35:
        ramp = np.linspace(0, 1, height)[:, None, None] ** rng.uniform(0.6, 2)
        mixed = np.array(look.base) * (1 - ramp) + np.array(look.accents[rng.integers(3)]) * ramp
        picture = Image.fromarray(to_uint8(np.repeat(mixed, width, 1)))
    elif chance < 0.5:
        fill, pitch = look.accents[rng.integers(5)], int(rng.integers(8, 40))
        lean = rng.choice([0, 1, 0.5]) * height
        for x in range(-height, width + height, 2 * pitch):
            corners = [(x, 0), (x + pitch, 0), (x + pitch + lean, height), (x + lean, height)]
            draw.polygon(corners, fill=fill)
    elif chance < 0.57:
        fill, pitch = look.accents[rng.integers(5)], int(rng.integers(12, 40))
        for y in range(0, height + pitch, pitch):
            for x in range(0, width + pitch, pitch):
                draw.ellipse([x, y, x + pitch / 2, y + pitch / 2], fill=fill)
    return picture


def _shapes(draw, rng, width: int, height: int, look: Print) -> None:
    for _ in range(rng.integers(0, 4)):
        fill, chance = look.accents[rng.integers(5)], rng.random()
        x, y = rng.uniform(-0.2, 0.9) * width, rng.uniform(-0.2, 0.9) * height
        a, b = rng.uniform(0.2, 0.9) * width, rng.uniform(0.15, 0.6) * height
        if chance < 0.4:
            draw.ellipse([x, y, x + a, y + b], fill=fill)
        elif chance < 0.7:
            draw.rectangle([0, y, width, y + 0.6 * b], fill=fill)
        else:
            corners = rng.uniform([0, 0], [width, height], (3, 2))
            draw.polygon([tuple(corner) for corner in corners], fill=fill)


def front(rng: np.random.Generator, width: int, height: int, look: Print) -> Image.Image:
    """Print the side with the brand on it."""
    picture = _background(rng, width, height, look)
    draw = ImageDraw.Draw(picture)
    ink = PAPER if luminance(look.base) < 140 else INK
    _shapes(draw, rng, width, height, look)
    if rng.random() < 0.55:
        w = max(8, int(width * rng.uniform(0.4, 0.8)))
        h = max(8, int(height * rng.uniform(0.25, 0.5)))
        mask = Image.new('L', (w, h), 255)
        if rng.random() < 0.5:
            mask = Image.new('L', (w, h), 0)
            ImageDraw.Draw(mask).ellipse([0, 0, w - 1, h - 1], fill=255)
        place = (int(rng.uniform(0, max(1, width - w))), int(height * rng.uniform(0.35, 0.5)))
        picture.paste(_photograph(rng, w, h), place, mask)
    top, tall = rng.uniform(0.03, 0.25) * height, height * rng.uniform(0.16, 0.3)
    if rng.random() < 0.6:
        banner = look.accents[rng.integers(5)]
        draw.rounded_rectangle(
            [width * 0.06, top, width * 0.94, top + tall], int(tall * 0.3), fill=banner
        )
        ink_brand = PAPER if luminance(banner) < 140 else INK
    else:
        ink_brand = ink
    band = (width * 0.09, top + tall * 0.12, width * 0.91, top + tall * 0.88)
    _text(draw, rng, look.brand, band, ink_brand)
    under = (width * 0.15, top + tall * 1.1, width * 0.85, top + tall * 1.1 + height * 0.08)
    _text(draw, rng, f'{word(rng)} {word(rng)}', under, ink)
    amount = f'{rng.integers(5, 900)} {rng.choice(["g", "ml", "pcs", "oz"])}'
    _text(draw, rng, amount, (width * 0.06, height * 0.88, width * 0.35, height * 0.96), ink)
    return picture


def side(rng: np.random.Generator, width: int, height: int, look: Print) -> Image.Image:
    """Print the side with the small print and the bar code."""
    picture = _background(rng, width, height, look)
    draw = ImageDraw.Draw(picture)
    ink = PAPER if luminance(look.base) < 120 else INK
    if rng.random() < 0.5:
        _text(draw, rng, look.brand, (width * 0.1, height * 0.05, width * 0.9, height * 0.25), ink)
    if rng.random() < 0.5:
        draw.rectangle([width * 0.07, height * 0.28, width * 0.7, height * 0.93], fill=PAPER)
        ink = INK
    _small_print(draw, rng, (width * 0.1, height * 0.3, width * 0.66, height * 0.9), ink)
    if rng.random() < 0.7:
        _bar_code(draw, rng, width * 0.72, height * 0.6, width * 0.24, height * 0.3)
    return picture


def carton(rng: np.random.Generator, width: int, height: int, look: Print) -> Image.Image:
    """Brown board with tape, a label and a handling mark, or nothing at all."""
    picture = Image.fromarray(cardboard(rng, height, width))
    draw = ImageDraw.Draw(picture)
    if rng.random() < 0.5:
        tape = (150, 112, 70) if rng.random() < 0.6 else (205, 180, 140)
        draw.rectangle([0, height * 0.44, width, height * 0.57], fill=tape)
    if rng.random() < 0.4:
        x, y = rng.uniform(0.05, 0.5) * width, rng.uniform(0.05, 0.5) * height
        draw.rectangle([x, y, x + width * 0.4, y + height * 0.32], fill=PAPER)
        _bar_code(draw, rng, x + 4, y + 4, width * 0.3, height * 0.12)
        _small_print(
            draw, rng, (x + 4, y + height * 0.16, x + width * 0.36, y + height * 0.3), INK
        )
    if rng.random() < 0.3:
        box = (width * 0.1, height * 0.66, width * 0.6, height * 0.9)
        _text(draw, rng, look.brand, box, (70, 50, 35))
    return picture


def panel(rng, width: int, height: int, look: Print, front_share: float = 1.0) -> np.ndarray:
    """One printed side (height, width, 3) uint8."""
    make = front if rng.random() < front_share else side
    make = carton if look.style == 'cardboard' else make
    drawn = make(rng, max(width, 64), max(height, 64), look)  # smaller ones leave no room for text
    return np.asarray(drawn.resize((width, height), Image.Resampling.BOX))


def box_atlas(rng: np.random.Generator, look: Print, width: int = 170, height: int = 192):
    """Print the six sides of a box in the 3x2 atlas of `meshes.box`; +z is the front."""
    shares = (0.5, 0.5, 0.5, 0.5, 1.0, 0.5)
    sides = [panel(rng, width, height, look, share) for share in shares]
    return np.vstack([np.hstack(sides[:3]), np.hstack(sides[3:])])
