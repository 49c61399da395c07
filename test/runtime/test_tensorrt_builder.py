"""TensorRT's building half, run by TensorRT for RTX on the processor."""

import logging

import pytest
from rganet_ros import models
from rganet_ros.runtime import tensorrt_builder as builder
import tiny

TARGET = builder.Target('any', '8.6')
SHIPPED = sorted(path.stem for path in models.share('models').glob('*.onnx'))


@pytest.mark.parametrize('name', SHIPPED)
def test_every_shipped_model_builds(name):
    assert len(builder.build_engine(models.find(name), TARGET)) > 1e6


def test_promise_04_a_build_says_that_it_goes_on_and_how_long_it_took(monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger='rganet_ros')
    monkeypatch.setattr(builder, 'SAY', 0.1)
    builder.build_engine(models.find('fanet-lite0-temporal'), TARGET)
    lines = [record.getMessage() for record in caplog.records]
    assert any('so far: ' in line and ' of ' in line for line in lines[:-1])
    assert 'built the engine of fanet-lite0-temporal in' in lines[-1]


def test_what_is_no_graph_is_refused(tmp_path):
    made = tiny.graph()
    made.graph.node[0].op_type = 'Nonesuch'
    with pytest.raises(ValueError, match=r'TensorRT cannot read .*tiny\.onnx'):
        builder.build_engine(models.find(tiny.write(tmp_path, made)), TARGET)


def test_a_gpu_that_it_does_not_know_is_refused(tmp_path):
    model = models.find(tiny.write(tmp_path))
    with pytest.raises(ValueError, match=r"capability '5\.0': it has .*8\.6"):
        builder.build_engine(model, builder.Target('any', '5.0'))
