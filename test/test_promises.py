"""The table of docs/promises.md: a row for every promise, and every test that it names exists."""

import ast
from pathlib import Path
import re

import pytest
from rganet_ros.candidates import CandidateOptions
from rganet_ros.pipeline import open_pipeline
from rganet_ros.predictor import PredictorOptions
from rganet_ros.runtime.fake_backend import FakeBackend

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / 'docs' / 'promises.md').read_text()
ROWS = {int(cells[0]): cells[1:] for line in PAGE.splitlines()
        if re.match(r'\| \d+ \|', line)
        for cells in [[cell.strip() for cell in line.strip('|').split('|')]]}  # fmt: skip
LINK = re.compile(r'\[`(\w+)`\]\(\.\./(test/[\w/]+\.py)\)')


def functions(path):
    return {node.name for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.FunctionDef)}  # fmt: skip


def test_the_table_has_every_row():
    assert list(ROWS) == list(range(1, 31))


@pytest.mark.parametrize('number', ROWS)
def test_what_a_row_names_exists(number):
    promise, tests, shown = ROWS[number]
    assert promise and shown
    links = LINK.findall(tests)
    assert len(links) == tests.count('](')
    assert any(name.startswith(f'test_promise_{number:02d}_') for name, _ in links)
    for name, path in links:
        assert name in functions(path), f'{path} has no {name}'


def test_every_test_that_is_named_after_a_promise_is_in_its_row():
    for path in (ROOT / 'test').rglob('test_*.py'):
        for name in functions(path):
            if match := re.match(r'test_promise_(\d+)_', name):
                assert f'[`{name}`]' in ROWS[int(match[1])][1], name


def test_promise_05_the_first_inference_is_behind_us_when_it_is_open(monkeypatch):
    shapes, run = [], FakeBackend.run

    def counted(self, arrays, state):
        shapes.append(arrays['image'].shape)
        return run(self, arrays, state)

    monkeypatch.setattr(FakeBackend, 'run', counted)
    pipeline = open_pipeline(PredictorOptions('fake', 'fake'), CandidateOptions())
    assert shapes == [(1, *pipeline.predictor.size, 3)]


def test_promise_24_every_figure_has_its_command_and_its_machine():
    text = (ROOT / 'README.md').read_text()
    part = text.partition('## What was measured')[2].partition('\n## ')[0]
    assert re.search(r'\d cores .*\bPython 3', part)
    table = part.split('\n\n')[2].splitlines()
    assert table[0].endswith('| command |') and len(table) > 4
    for line in table[2:]:
        command = line.strip('|').split('|')[-1].strip()
        assert re.fullmatch(r'`(make|rganet) [^`]+`', command), line
