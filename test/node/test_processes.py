"""Processes of this package: none is left behind."""

import os
import signal
import subprocess

import pytest
from rganet_ros.node import processes


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_just_being_started_is_ended_as_well(number, tmp_path, monkeypatch):
    started = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)
            signal.raise_signal(number)

    monkeypatch.setattr(subprocess, 'Popen', Interrupted)
    before = signal.signal(number, signal.default_int_handler)
    try:
        run = processes.Processes(tmp_path, dict(os.environ))
        with pytest.raises(KeyboardInterrupt), run:
            run.start('listener', 'listener')
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert len(started) == 1 and started[0].poll() is not None
