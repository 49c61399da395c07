"""A live view, to the websocket that a browser would open."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from live import LONG
import pytest
import rclpy
from rganet_ros import bag
from rganet_ros.node.outputs import TOPICS
from sensor_msgs.msg import PointCloud2

pytest.importorskip('foxglove', reason="extra 'view' is not installed")
connect = pytest.importorskip('websockets.sync.client').connect


@pytest.fixture
def address(tmp_path):
    log = tmp_path / 'view.log'
    command = [sys.executable, '-m', 'rganet_ros.cli', 'view', '--port', '0']
    with log.open('wb') as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=os.environ)
    end = time.monotonic() + LONG
    while 'layout:' not in log.read_text():
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    lines = log.read_text().splitlines()
    assert next(line for line in lines if 'layout:' in line).endswith('foxglove.json')
    yield next(word for line in lines for word in line.split() if word.startswith('ws://'))
    process.send_signal(signal.SIGINT)
    assert process.wait(LONG) == 0, log.read_text()


def test_messages_reach_the_browser_as_they_were_published(ros, address):
    node = rclpy.create_node('source')
    publisher = node.create_publisher(PointCloud2, '/perception/candidates', 5)
    try:
        with connect(address, subprotocols=['foxglove.sdk.v1']) as browser:
            channels = {}
            while not {f'/perception/{name}' for name in TOPICS} <= set(channels):
                said = browser.recv(LONG)
                content = json.loads(said) if isinstance(said, str) else {}
                channels |= {c['topic']: c for c in content.get('channels', ())}
            channel = channels['/perception/candidates']
            assert channel['schemaName'] == 'sensor_msgs/msg/PointCloud2'
            assert (channel['encoding'], channel['schemaEncoding']) == ('cdr', 'ros2msg')
            assert (
                'float32' not in channel['schema'] and 'PointField[] fields' in channel['schema']
            )
            # Nobody looked so far.
            assert publisher.get_subscription_count() == 0
            wanted = [{'id': 7, 'channelId': channel['id']}]
            browser.send(json.dumps({'op': 'subscribe', 'subscriptions': wanted}))
            end = time.monotonic() + LONG
            while not publisher.get_subscription_count():
                assert time.monotonic() < end
                time.sleep(0.1)
            message = PointCloud2(width=3, height=1)
            message.header.frame_id = 'eye'
            while True:
                assert time.monotonic() < end
                publisher.publish(message)
                try:
                    data = browser.recv(0.5)
                except TimeoutError:
                    continue
                if isinstance(data, bytes) and data[0] == 1:
                    break
            assert struct.unpack('<I', data[1:5]) == (7,)
            kind = channel['schemaName']
            found = bag.deserialize(bag.Message(channel['topic'], kind, 0, data[13:]))
            assert (found.width, found.header.frame_id) == (3, 'eye')
        end = time.monotonic() + LONG
        while publisher.get_subscription_count():
            assert time.monotonic() < end, 'it still listens, for nobody'
            time.sleep(0.1)
    finally:
        node.destroy_node()


@pytest.mark.parametrize('port', ['in use', '99999'])
def test_a_port_that_cannot_be_served_is_refused_in_a_sentence(port):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = str(taken.getsockname()[1]) if port == 'in use' else port
        command = [sys.executable, '-m', 'rganet_ros.cli', 'view', '--port', port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 2
    assert f'rganet view: error: cannot serve on 127.0.0.1:{port}' in done.stderr
    assert 'Traceback' not in done.stderr
