"""What is wrong with a data set, before a training finds out: faults in words, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rganet_ros.dataset import read_intrinsics
from rganet_ros.masks import Masks
from rganet_ros.mixture import open_source, Source, sources
from rich.progress import Progress

SPLITS = ('train', 'test')


def check(
    given, splits: Sequence[str] | None = None, show: bool = False
) -> tuple[dict[str, int], list[str]]:
    """
    Read every frame of a data set, or of all of a mixture, see `mixture.sources`.

    splits  None: those of train and test that there are
    show    draws a progress bar

    Returns how many frames each split has, by its folder and name, and what is wrong: splits that
    are missing, empty or share frames; files that are missing, unreadable or left alone; files of
    one frame, or frames of one data set, that differ in size; labels that the card does not list.
    """
    counts, faults = {}, []
    for root in sources(given):
        opened, found = _open(root, splits)
        faults += [*found, *_listed(opened)]
        counts |= {f'{root} {split}': len(source) for split, source in opened.items()}
        sizes: dict[str, tuple[int, ...]] = {}
        with Progress(transient=True, disable=not show) as progress:
            for split, source in opened.items():
                for index in progress.track(range(len(source)), description=f'reading {split}'):
                    faults += _missing(source, index) or _unreadable(source, index, sizes)
        usual = Counter(sizes.values()).most_common(1)
        faults += [
            f'{path} is {size[1]}x{size[0]}, most are {usual[0][0][1]}x{usual[0][0][0]}'
            for path, size in sizes.items() if size != usual[0][0]
        ]  # fmt: skip
    return counts, list(dict.fromkeys(faults))


def quick_check(given, splits: Sequence[str] = SPLITS) -> None:
    """Refuse lists that are wrong or name files that are not there, and read none: ValueError."""
    faults = []
    for root in sources(given):
        opened, found = _open(root, splits)
        faults += [*found, *_listed(opened)]
        for source in opened.values():
            faults += [fault for index in range(len(source)) for fault in _missing(source, index)]
    faults = list(dict.fromkeys(faults))
    if faults:
        more = f' (and {len(faults) - 1} more: rganet evaluate --check)' if faults[1:] else ''
        raise ValueError(f'{faults[0]}{more}')


def _open(root: Path, splits) -> tuple[dict[str, Source], list[str]]:
    opened, missing, faults = {}, [], []
    for split in splits or SPLITS:
        try:
            opened[split] = open_source(root, split)
        except FileNotFoundError as error:
            missing.append(str(error))
        except ValueError as error:
            faults.append(str(error))
    # Without a wish one of the two is enough.
    needed = missing if splits or not opened else []
    return opened, list(dict.fromkeys([*needed, *faults]))


def _listed(opened: dict[str, Source]) -> Iterator[str]:
    seen: dict[Path, str] = {}
    for split, source in opened.items():
        if len(source) == 0:
            yield f'{source.root}: the split {split!r} has no frames'
        for index, name in enumerate(source.names):
            # Below train/ and test/ equal names are different pictures.
            before = seen.setdefault(source.files(index)['picture'], split)
            if before != split:
                yield f'{source.root}: {name} is in the split {before!r} and in {split!r}'
        for name, count in Counter(source.names).items():
            if count > 1:
                yield f'{source.root}: {name} is {count} times in the split {split!r}'
        if isinstance(source, Masks):
            yield from (f'{path} has no picture of its name' for path in source.alone())


def _missing(source: Source, index: int) -> list[str]:
    return [f'{path} is missing' for path in source.files(index).values() if not path.is_file()]


def _unreadable(source: Source, index: int, sizes: dict[str, tuple[int, ...]]) -> list[str]:
    files = source.files(index)
    try:
        sizes[str(files['picture'])] = source[index][2].shape
        if 'intrinsics' in files:
            read_intrinsics(files['intrinsics'])
    except (OSError, ValueError) as error:
        return [str(error)]
    return []
