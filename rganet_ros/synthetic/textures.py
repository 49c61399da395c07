"""
Colours and surfaces: smooth noise, muted hues, floors, plastics, cardboard, cloth, sponge.

Every function draws from the generator it is given and nothing else; pictures are (H, W, 3) uint8
RGB.
"""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

Colour = tuple[int, int, int]

# Hues that packaging really has; uniform hues at full saturation look like neon.
HUES = (0, 0.02, 0.05, 0.09, 0.12, 0.15, 0.3, 0.36, 0.5, 0.55, 0.58, 0.6, 0.63, 0.75, 0.9, 0.97)
TOTES = (
    (178, 32, 24), (190, 40, 30), (165, 28, 22), (150, 45, 35),
    (40, 70, 140), (30, 110, 180), (70, 72, 75), (150, 152, 150), (205, 205, 200),
    (40, 110, 70), (205, 170, 60), (30, 32, 34), (170, 130, 90), (120, 30, 40),
)  # fmt: skip


def colour(rng: np.random.Generator, saturation: float = 0.45, value: float = 0.35) -> Colour:
    """Draw a muted colour with at least this saturation and value."""
    hue = rng.choice(HUES) + 0.025 * rng.standard_normal() if rng.random() < 0.8 else rng.random()
    s, v = min(0.95, rng.uniform(saturation, 1)), min(0.92, rng.uniform(value, 1))
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, s, v)
    return int(255 * red), int(255 * green), int(255 * blue)


def luminance(rgb: Colour) -> float:
    """Brightness of a colour, 0..255."""
    return 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]


def noise(rng: np.random.Generator, rows: int, columns: int, cells: int, octaves: int = 3):
    """Draw smooth values (rows, columns), float32, deviation 1, `cells` across the longer side."""
    total = np.zeros((rows, columns), np.float32)
    for octave in range(octaves):
        scale = cells * 2**octave / max(rows, columns)
        grid = rng.standard_normal(
            (max(2, int(rows * scale) + 2), max(2, int(columns * scale) + 2)), np.float32
        )
        fine = cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
        total += 0.5**octave * fine
    return total / (total.std() + 1e-6)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Clip to 0..255."""
    return np.clip(picture, 0, 255).astype(np.uint8)


def plastic(rng: np.random.Generator, base: Colour) -> np.ndarray:
    """Moulded plastic, a little uneven and scratched."""
    size = 256
    picture = np.array(base) * (1 + 0.022 * noise(rng, size, size, 5, 5)[..., None])
    picture = (picture + 1.5 * rng.standard_normal((size, size, 1))).astype(np.float32)
    for _ in range(rng.integers(5, 25)):
        x, y, angle, length = *rng.integers(0, size, 2), rng.uniform(0, 6.28), rng.uniform(5, 60)
        end = int(x + length * np.cos(angle)), int(y + length * np.sin(angle))
        shade = np.clip(np.array(base) * rng.uniform(0.8, 1.25) + 8, 0, 255)
        cv2.line(picture, (int(x), int(y)), end, tuple(map(float, shade)), 1, cv2.LINE_AA)
    return to_uint8(picture)


def concrete(rng: np.random.Generator) -> np.ndarray:
    """Concrete or vinyl, in tiles half of the time."""
    bases = ((150, 150, 145), (120, 118, 112), (95, 100, 96), (180, 175, 165), (60, 62, 66))
    picture = np.array(bases[rng.integers(len(bases))], np.float32) + np.zeros((512, 512, 1))
    picture += 8 * noise(rng, 512, 512, 6, 5)[..., None]
    picture += 6 * rng.standard_normal((512, 512, 1))
    if rng.random() < 0.5:
        picture[::128] -= 25
        picture[:, ::128] -= 25
    return to_uint8(picture)


def carpet(rng: np.random.Generator) -> np.ndarray:
    """Dark, speckled floor covering."""
    base = np.array(colour(rng, 0.02, 0.2), np.float32) * rng.uniform(0.3, 0.6)
    speckle = cv2.GaussianBlur(rng.standard_normal((512, 512)).astype(np.float32), (0, 0), 0.8)
    return to_uint8(base + 30 * speckle[..., None])


def bright(rng: np.random.Generator) -> np.ndarray:
    """Draw a plain bright table: white laminate, paper, a light mat."""
    base = rng.uniform(205, 250) + rng.normal(0, 5, 3)
    return to_uint8(base + 1.5 * noise(rng, 512, 512, 4, 3)[..., None])


def wood(rng: np.random.Generator) -> np.ndarray:
    """Planks with grain along x."""
    bases = ((176, 132, 88), (140, 98, 62), (205, 170, 125), (110, 78, 52), (220, 195, 160))
    base = np.array(bases[rng.integers(len(bases))], np.float32)
    grain = cv2.resize(noise(rng, 512, 16, 90, 2), (512, 512), interpolation=cv2.INTER_CUBIC)
    picture = base * (1 + 0.09 * grain + 0.05 * noise(rng, 512, 512, 4, 3))[..., None]
    width = int(rng.integers(60, 180))
    for k, top in enumerate(range(0, 512, width)):
        picture[top : top + width] *= 1 + 0.05 * ((k * 7) % 5 - 2)
        picture[top : top + 2] *= 0.6
    return to_uint8(picture)


def steel(rng: np.random.Generator) -> np.ndarray:
    """Brushed sheet metal."""
    brush = cv2.GaussianBlur(
        rng.standard_normal((512, 512)).astype(np.float32), (0, 0), 14, None, 0.6
    )
    base = rng.uniform(105, 205) + rng.normal(0, 3, 3)
    return to_uint8(base + 60 * brush[..., None] + 7 * noise(rng, 512, 512, 3, 3)[..., None])


FLOORS = {concrete: 0.3, carpet: 0.12, bright: 0.28, wood: 0.15, steel: 0.15}


def floor(rng: np.random.Generator) -> np.ndarray:
    """Draw what is under the tote."""
    return list(FLOORS)[rng.choice(len(FLOORS), p=list(FLOORS.values()))](rng)


def moulded(rng: np.random.Generator, base: Colour) -> np.ndarray:
    """Plastic with ribs, a grid, studs, panels or letters raised from it, lit from one side."""
    size, kind = 512, rng.integers(5)
    raised = np.zeros((size, size), np.uint8)
    pitch, thick = int(rng.integers(24, 90)), int(rng.integers(2, 8))
    for at in range(pitch // 2, size, pitch):
        if kind in (0, 1):
            raised[at : at + thick] = 255
        if kind == 1:
            raised[:, at : at + thick] = 255
        if kind == 2:
            for other in range(pitch // 2, size, pitch):
                cv2.circle(raised, (at, other), thick, 255, -1, cv2.LINE_AA)
    if kind == 3:
        for x, y in ((60, 50), (300, 50), (60, 290), (300, 290)):
            cv2.rectangle(raised, (x, y), (x + 150, y + 170), 255, -1)
    if kind == 4:
        word = ''.join(rng.choice(list('ABCEHKLMPRST0123456789'), 6))
        cv2.putText(raised, word, (90, 200), 0, 2.6, 255, 9, cv2.LINE_AA)
        cv2.circle(raised, (256, 350), 60, 255, 5, cv2.LINE_AA)
    raised = cv2.GaussianBlur(np.float32(raised) / 255, (0, 0), rng.uniform(1, 2.5))
    light = rng.uniform(0.15, 0.6) * (np.roll(raised, 2, 0) + np.roll(raised, 2, 1) - 2 * raised)
    flat = cv2.resize(plastic(rng, base), (size, size)).astype(np.float32)
    return to_uint8(flat * (1 + light)[..., None])


def cardboard(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Brown board with faint flutes."""
    base = np.array((196, 156, 110), np.float32) * rng.uniform(0.75, 1.1) + rng.normal(0, 6, 3)
    flutes = 2 * np.sin(np.arange(columns) * 0.9)[None, :, None]
    return to_uint8(base + flutes + 5 * noise(rng, rows, columns, 6, 4)[..., None])


def cloth(rng: np.random.Generator) -> np.ndarray:
    """Draw a weave, often black or grey."""
    base = (25, 25, 28) if rng.random() < 0.4 else colour(rng, 0.1, 0.4)
    row, column = np.indices((256, 256))
    weave = 14 * np.sin(row * 0.8) * np.sin(column * 0.8) + 8 * rng.standard_normal((256, 256))
    return to_uint8(np.array(base) + weave[..., None])


def sponge(rng: np.random.Generator) -> np.ndarray:
    """Pores."""
    pores = noise(rng, 256, 384, 60, 2)[..., None]
    return to_uint8(np.array(colour(rng, 0.5, 0.6)) * (1 - 0.35 * (pores > 0.9)) + 10 * pores)
