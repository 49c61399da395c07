"""
A long day for the node: 30 Hz of 640 x 480 colour and depth, with faults mixed in.

    python test/node/soak.py --minutes 30 --out out/soak.json       (make soak MINUTES=30)

A camera and a listener run in processes of their own. Prints a table, writes JSON, and ends with
status 1 unless memory is flat (2 %), latency does not grow, nothing older than max_age was
published, and every picture that came in is accounted for: published, or dropped for a reason.
"""

import argparse
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HZ = 30.0
MAX_AGE = 1.0  # seconds
SLACK = 0.25  # seconds that a message may take from the node to the listener
FLAT = 0.02  # share by which memory may differ
GROWTH = 1.5  # factor by which the 99th percentile of latency may
WAITING = 9  # pictures that may wait for their depth, or for camera_info, at the end
SECOND = 10**9


def camera(seconds: float) -> None:
    """Publish 30 Hz; every two seconds something goes wrong for a few frames."""
    from faults import MALFORMED
    from live import Client
    import rclpy

    rclpy.init()
    client = Client()
    rng = np.random.default_rng(0)
    sizes = {'usual': (480, 640), 'small': (240, 320)}
    faults = ('none', 'malformed', 'no depth', 'old', 'late', 'pause', 'small')
    made = {name: _set(*size) for name, size in sizes.items()}
    start = time.monotonic()
    count, fault, fault_until = 0, 'none', 0
    while time.monotonic() - start < seconds:
        if count % int(2 * HZ) == 0:
            fault = faults[(count // int(2 * HZ)) % len(faults)]
            fault_until = count + 8
        now = fault if count < fault_until else 'none'
        stamp = time.time_ns()
        image, depth, info = made['small' if now == 'small' else 'usual']
        stamp -= {'old': 3 * SECOND, 'late': SECOND // 5}.get(now, 0)
        if now == 'malformed':
            MALFORMED[count % len(MALFORMED)](client, stamp, rng)
        elif now != 'pause':
            for message in (image, depth, info):
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, SECOND)
            client.publishers['image'].publish(image)
            if now != 'no depth':
                client.publishers['depth'].publish(depth)
                client.publishers['camera_info'].publish(info)
        count += 1
        time.sleep(max(0.0, start + count / HZ - time.monotonic()))
    print(f'sent {count}', flush=True)
    client.close()
    rclpy.shutdown()


def _set(height: int, width: int):
    from live import disc, picture
    from sensor_msgs.msg import CameraInfo

    image = picture(disc(height, width), 'rgb8', 0)
    depth = picture(np.full((height, width), 500, np.uint16), '16UC1', 0)
    info = CameraInfo(header=image.header, height=height, width=width)
    info.k = [float(width), 0.0, width / 2, 0.0, float(width), height / 2, 0.0, 0.0, 1.0]
    return image, depth, info


class Listener:
    """Ages of what comes out, and the last diagnostics; in the process of the soak itself."""

    def __init__(self):
        from diagnostic_msgs.msg import DiagnosticArray
        import rclpy
        from sensor_msgs.msg import PointCloud2

        rclpy.init()
        self.node = rclpy.create_node('soak')
        self.oldest, self.frames, self.said = 0.0, 0, {}
        self.node.create_subscription(PointCloud2, '/perception/candidates', self._take, 50)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._hear, 10)

    def _take(self, message) -> None:
        stamp = message.header.stamp.sec * SECOND + message.header.stamp.nanosec
        self.oldest = max(self.oldest, (time.time_ns() - stamp) / 1e9)
        self.frames += 1

    def _hear(self, message) -> None:
        self.said = {each.key: each.value for each in message.status[0].values}

    def spin(self, seconds: float) -> None:
        import rclpy

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def close(self) -> None:
        import rclpy

        self.node.destroy_node()
        rclpy.shutdown()


def judge(samples: list[dict], said: dict, oldest: float) -> dict:
    """
    Sum up and judge.

    samples  of every second: rss_mb, of which shared_mb are the middleware's segments (of a size
             that config/fastdds.xml gives), and p99_ms (None before there is one)
    said     the last diagnostics
    oldest   age in seconds of the oldest that arrived
    """
    from rganet_ros.bench.cell import drops, received, waiting

    def quiet(part: list[float]) -> float:
        # Pictures come and go: what is there at the quietest seconds is what would grow.
        return float(np.percentile(part, 10))

    rss = [each['rss_mb'] - each['shared_mb'] for each in samples]
    p99 = [each['p99_ms'] for each in samples if each['p99_ms'] is not None]
    quarter = max(1, len(rss) // 4)
    early, late = quiet(rss[quarter : 2 * quarter]), quiet(rss[-quarter:])
    third = max(1, len(p99) // 3)
    slow = [float(np.median(part)) if part else None for part in (p99[:third], p99[-third:])]
    published, missing = int(said.get('frames', 0)), waiting(said)
    checks = {
        'memory is flat': bool(abs(late - early) <= FLAT * early),
        'latency does not grow': bool(None not in slow and slow[1] <= GROWTH * slow[0]),
        'nothing is too old': oldest <= MAX_AGE + SLACK,
        'every drop is accounted for': 0 <= missing <= WAITING and published > 0,
    }
    return {
        'seconds': len(samples),
        'rss_mb': [round(early, 1), round(late, 1)],
        'rss_mb_by_minute': [round(quiet(rss[at : at + 60]), 1) for at in range(0, len(rss), 60)],
        'shared_mb': round(max(each['shared_mb'] for each in samples), 1),
        'p99_ms': slow,
        'oldest_s': round(oldest, 3),
        'received': received(said),
        'published': published,
        'dropped': drops(said),
        'waiting': missing,
        'checks': checks,
    }


def soak(minutes: float, model: str, log: Path) -> dict:
    """Run node and camera for some minutes; returns the judgement."""
    from live import Process
    from rganet_ros.bench.cell import memory

    backend = 'fake' if model == 'fake' else 'auto'
    words = {'model': model, 'backend': backend, 'max_age': MAX_AGE, 'depth': 'true'}
    node = Process(log, *(word for k, v in words.items() for word in ('-p', f'{k}:={v}')))
    listener, source, samples = Listener(), None, []
    try:
        node.wait_for('active:')
        command = [sys.executable, __file__, '--camera', str(60 * minutes)]
        source = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        while source.poll() is None:
            listener.spin(1.0)
            p99 = listener.said.get('all_ms.p99')
            samples.append(memory(node.process.pid) | {'p99_ms': p99 and float(p99)})
        listener.spin(3.0)
        found = judge(samples, listener.said, listener.oldest)
        found['checks']['the node lives'] = node.process.poll() is None
        return found
    finally:
        if source is not None and source.poll() is None:
            source.send_signal(signal.SIGINT)
            source.wait()
        listener.close()
        if node.process.poll() is None:
            node.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--model', default='fanet18-rgbd', help='fake: without an engine')
    parser.add_argument('--out', type=Path, default=Path('out/soak.json'))
    parser.add_argument('--camera', type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.camera:
        camera(args.camera)
        return 0
    from rganet_ros import report

    args.out.parent.mkdir(parents=True, exist_ok=True)
    found = soak(args.minutes, args.model, args.out.with_suffix('.log'))
    report.write_json(args.out, {'model': args.model, **found})
    rows = [(k, json.dumps(v)) for k, v in found.items() if k != 'checks']
    report.print_table('soak', [*rows, *found['checks'].items()])
    return 0 if all(found['checks'].values()) else 1


if __name__ == '__main__':
    sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT)]
    import conftest  # noqa: F401 (the environment, before rclpy is imported)

    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    sys.exit(main())
