"""A folder of labels: which belongs to a frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from rganet_ros.dataset import class_ids, label_values, read_picture

LABELS = (
    'folder of label PNGs, 8-bit grey: 0 not suctionable, 128 suctionable, 255 unlabelled; that '
    'of a frame is, the first that is there: NAME.png, with the name that the report gives the '
    'frame (BAG/000007, or FOLDER/color/7.png without the suffix; the second input that is called '
    'BAG is BAG-2), STAMP.png (nanoseconds), and the last word of the name (000007.png, 7.png)'
)


class Labels:
    """
    Labels as LABELS says.

    used  how many were found
    """

    def __init__(self, folder: Path, unlabelled: str):
        """`unlabelled` says what 255 is: `ignore` (not counted) or `background`."""
        if not folder.is_dir():
            raise FileNotFoundError(f'no folder of labels {folder}')
        self._folder, self._unlabelled, self.used = folder, unlabelled, 0
        self._values = label_values(unlabelled == 'ignore')

    def of(self, name: str, stamp: int, shape: tuple[int, int]) -> np.ndarray | None:
        """Read the class ids (H, W) of a frame, 255 not counted; None where it has no label."""
        whole = Path(name).with_suffix('')
        for each in (whole, str(stamp), whole.name):
            path = self._folder / f'{each}.png'
            if path.is_file():
                codes = read_picture(path, cv2.IMREAD_GRAYSCALE)
                if codes.shape != shape:
                    raise ValueError(f'{path} is not of the size of frame {name}')
                ids = class_ids(codes, self._values, path)
                self.used += 1
                return ids
        return None

    def about(self) -> dict:
        """Say which labels were used, and how they were read."""
        return {'folder': str(self._folder), 'unlabelled': self._unlabelled, 'used': self.used}
