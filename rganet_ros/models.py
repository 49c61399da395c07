"""
Find model files and read what their card says.

A model is an ONNX file, a card of the same name (.json: network, config, classes, data, scores,
how it was made); the weights (.safetensors) may lie beside it. Nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path

FORMAT = 1
PACKAGE = 'rganet_ros'
RGBD, RGB = 'fanet-lite0-rgbd', 'fanet-lite0-rgb'  # the defaults: with depth, colour alone


@dataclass(frozen=True)
class Model:
    """
    A model file that is there and is what its card says.

    card  format, network, config, classes, size [h, w] of its input, fit (how a picture is brought
          to that size), depth (whether it takes one), cup (its name in the generator's recipe,
          or ''), cup_radius (metres), precision, data, scores, made, sha256 (of the ONNX file)
    """

    name: str
    onnx: Path
    sha256: str
    card: dict

    @property
    def weights(self) -> Path | None:
        """The network's weights beside it, if they are there."""
        path = self.onnx.with_suffix('.safetensors')
        return path if path.exists() else None


def share(folder: str) -> Path:
    """
    Find a folder of this package's files: models, config or demo.

    Looked for in the source tree (who works in a checkout means its own files), in the share
    folder of the installation that this file is part of (pip or colcon), then in those of the
    sourced workspaces.
    """
    package = Path(__file__).resolve().parent
    places = [package.parent / folder] if (package.parent / 'package.xml').is_file() else []
    own = (package / '../../../..').resolve()  # of <own>/lib/python3.x/site-packages/rganet_ros
    prefixes = [own, *filter(None, os.getenv('AMENT_PREFIX_PATH', '').split(':'))]
    places += [Path(prefix) / 'share' / PACKAGE / folder for prefix in prefixes]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f'no folder {folder!r} of {PACKAGE} in {", ".join(map(str, places))}: install it again'
    )


def find(name: str | Path) -> Model:
    """
    Find a model by the path of its ONNX file or by its bare name, and check it.

    Raises FileNotFoundError where it is not there, naming what is (or how to make it, if its card
    is), and ValueError where the card is missing, of a newer format, or of another file.
    """
    path = Path(name)
    if path.suffix in ('.onnx', '.json') or path.parent != Path('.'):
        path = path.with_suffix('.onnx')
        hint = 'give the path of an .onnx file with its .json beside it'
    else:
        folder = share('models')
        path = folder / f'{name}.onnx'
        there = sorted(other.stem for other in folder.glob('*.onnx'))
        hint = f'{folder} has {", ".join(there) or "none"}; the path of an .onnx file will do too'
    if path.with_suffix('.json').is_file():
        hint = 'its card is here, its file is not: "made" in the card has the commands for it'
    if not path.is_file():
        raise FileNotFoundError(f'no model {str(name)!r}: {hint}')
    return _read(path)


def read_card(card_path: Path) -> dict:
    """Read a card; ValueError where there is none, or none of this format."""
    try:
        card = json.loads(card_path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        onnx = card_path.with_suffix('.onnx')
        raise ValueError(f'{onnx} has no card: {card_path.name} must be beside it') from None
    except ValueError as error:
        raise ValueError(f'{card_path} is not readable JSON: {error}') from None
    if not isinstance(card, dict):
        raise ValueError(f'{card_path} is no card of a model: export the model again')
    if card.get('format') != FORMAT:
        raise ValueError(
            f'{card_path} has format {card.get("format")!r}, this version reads {FORMAT}: '
            'export the model again'
        )
    missing = {'network', 'classes', 'size', 'fit', 'depth', 'cup_radius', 'sha256'} - set(card)
    if missing:
        raise ValueError(f'{card_path} lacks {", ".join(sorted(missing))}: export the model again')
    return card


def _read(path: Path) -> Model:
    card = read_card(path.with_suffix('.json'))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 != card['sha256']:
        raise ValueError(
            f'{path} is not the file its card describes (sha256 {sha256[:12]}, card '
            f'{card["sha256"][:12]}): it is truncated or of another export; copy both again'
        )
    return Model(path.stem, path, sha256, card)
