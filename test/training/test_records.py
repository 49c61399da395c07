import json
from pathlib import Path
import struct

import numpy as np
from rganet_ros.training import records
from tensorboardX.proto.event_pb2 import Event


def curves(folder: Path) -> dict[str, list]:
    """Read TensorBoard's files: length, its checksum, event, its checksum, again and again."""
    found = {}
    for path in sorted(folder.glob('events*')):
        data = path.read_bytes()
        while data:
            length = struct.unpack('<Q', data[:8])[0]
            event, data = Event.FromString(data[12 : 12 + length]), data[16 + length :]
            for value in event.summary.value:
                kind = value.WhichOneof('value')
                said = value.simple_value if kind == 'simple_value' else kind
                found.setdefault(value.tag, []).append((event.step, said))
    return found


def entry(epoch):
    return {'epoch': epoch, 'loss': 1 / epoch, 'iou': [0.9, 0.5]}


def test_curves_hold_what_the_lines_say(tmp_path):
    with records.opened(tmp_path, 0) as log:
        for epoch in (1, 2):
            log.write(entry(epoch))
        log.picture('answers', np.zeros((8, 12, 3), np.uint8), 2)
    found = curves(tmp_path / 'curves')
    assert found['loss'] == [(1, 1.0), (2, 0.5)]
    assert [step for step, _ in found['iou/1']] == [1, 2] and found['answers'] == [(2, 'image')]
    lines = (tmp_path / 'log.jsonl').read_text().splitlines()
    assert [json.loads(line) for line in lines] == [entry(1), entry(2)]


def test_a_score_that_is_no_number_is_null(tmp_path):
    with records.opened(tmp_path, 0) as log:
        log.write({'epoch': 1, 'iou': [0.5, float('nan')], 'top_1': np.float64('nan')})
    line = (tmp_path / 'log.jsonl').read_text()
    assert line == '{"epoch": 1, "iou": [0.5, null], "top_1": null}\n'


def test_lines_of_epochs_that_were_lost_are_dropped(tmp_path):
    with records.opened(tmp_path, 0) as log:
        for epoch in (1, 2, 3):
            log.write(entry(epoch))
    with open(tmp_path / 'log.jsonl', 'a') as file:
        file.write('{"epoch": 4, "lo')  # killed while writing
    with records.opened(tmp_path, 2) as log:
        log.write(entry(3))
    lines = (tmp_path / 'log.jsonl').read_text().splitlines()
    assert [json.loads(line)['epoch'] for line in lines] == [1, 2, 3]


def test_each_start_is_noted_beside_what_the_run_is_made_from(tmp_path):
    for epoch in (0, 7):
        records.note_start(tmp_path, {'recipe': {'epochs': 9}}, {'after_epoch': epoch})
    found = json.loads((tmp_path / 'run.json').read_text())
    assert found['recipe'] == {'epochs': 9}
    assert [session['after_epoch'] for session in found['sessions']] == [0, 7]
    assert {'python', 'torch', 'numpy'} <= set(found['sessions'][0]['versions'])


def test_a_digest_does_not_depend_on_the_order():
    assert records.digest({'a': 1, 'b': [2]}) == records.digest({'b': [2], 'a': 1})
    assert records.digest({'a': 1}) != records.digest({'a': 2})
