"""TensorRT's parser and builder without a GPU: TensorRT for RTX builds ahead of time on a CPU."""

from ctypes import CDLL, RTLD_GLOBAL
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def library():
    """Load TensorRT for RTX from its wheels."""
    folder = Path(find_spec('onnxruntime_ep_nv_tensorrt_rtx').origin).parent
    for name in ('libtensorrt_rtx.so.*', 'libtensorrt_onnxparser_rtx.so.*'):
        CDLL(str(next(folder.glob(name))), RTLD_GLOBAL)
    import tensorrt_rtx_bindings

    return tensorrt_rtx_bindings


def build(onnx: bytes) -> int:
    """Parse a strongly typed ONNX file and build its engine; returns the engine's size, bytes."""
    trt = library()
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, trt.Logger(trt.Logger.ERROR))
    if not parser.parse(onnx):
        raise ValueError('; '.join(str(parser.get_error(i)) for i in range(parser.num_errors)))
    config = builder.create_builder_config()
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.SM86, 0)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise ValueError('the builder gave no engine')
    return engine.nbytes
