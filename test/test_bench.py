import pytest
from rganet_ros.cli import main


def test_bench_candidates_prints_every_case_once(capsys):
    assert main(['bench', 'candidates', '--repeats', '1', '--limit', '7']) == 0
    lines = capsys.readouterr().out.splitlines()
    for case in ('320x240 depth', '640x480 depth', '640x480 no depth', '1280x720 depth'):
        (line,) = (line for line in lines if f'{case} ' in line)
        assert int(line.split('│')[3]) == 7
    (line,) = (line for line in lines if 'all low' in line)
    assert int(line.split('│')[3]) == 0


def test_bench_refuses_what_cannot_be(capsys):
    assert main(['bench', 'candidates', '--repeats', '0']) == 2
    assert '--repeats' in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(['bench', 'nothing'])
    assert stop.value.code == 2
