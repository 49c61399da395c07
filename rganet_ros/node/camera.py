"""
A camera of a chosen rate: the pictures of a bag, from memory, each set with the stamp of now.

    python -m rganet_ros.node.camera BAG --hz 30 --count 150

Says `playing` when somebody listens, `sent` at the end, and then as JSON which stamps it sent.
"""

from __future__ import annotations

import argparse
from itertools import cycle, islice
import json
from pathlib import Path
import sys
import time

from rganet_ros import bag
from rganet_ros.node.player import Player
from rganet_ros.node.short_lived import exit_status, short_lived

MEMORY = 60  # sets that are kept


def sets_of(path: Path, most: int = MEMORY) -> list[list[bag.Message]]:
    """Read the first sets of a bag, each of a picture and, where there is, depth and its info."""
    topics = bag.find_topics(path)
    wanted = [topics.image, topics.depth, topics.info] if topics.depth else [topics.image]
    fresh: dict[str, bag.Message] = {}
    found = []
    for message in bag.messages(path, wanted):
        fresh[message.topic] = message
        if all(topic in fresh for topic in wanted):
            found.append([fresh[topic] for topic in wanted])
            fresh = {topics.info: fresh[topics.info]} if topics.info in fresh else {}
        if len(found) == most:
            break
    if not found:
        raise ValueError(f'bag {path} has nothing on one of {", ".join(wanted)}')
    return found


def _run(args: argparse.Namespace) -> None:
    sets = sets_of(args.path)
    with short_lived('camera') as (node, _):
        player = Player(node, args.path, rate=1.0, restamp=True)
        player.wait(args.timeout)
        print('playing', flush=True)
        sent, began = [], time.monotonic()
        for index, messages in enumerate(islice(cycle(sets), args.count)):
            time.sleep(max(0.0, began + index / args.hz - time.monotonic()))
            stamp = time.time_ns()
            for message in messages:
                player.send(message, stamp)
            sent.append(stamp)
        time.sleep(1 / args.hz)
        print('sent', flush=True)
        print(json.dumps(sent), flush=True)
        player.close()


def main(argv: list[str] | None = None) -> int:
    """Play; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog='camera')
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('path', type=Path, help='a bag')
    parser.add_argument('--hz', type=float, required=True, help='sets in a second')
    parser.add_argument('--count', type=int, required=True, help='sets to send')
    parser.add_argument('--timeout', type=float, default=30.0, help='wait for a listener (30 s)')
    args = parser.parse_args(argv)
    return exit_status('camera', _run, args)


if __name__ == '__main__':
    sys.exit(main())
