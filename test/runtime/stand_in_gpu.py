"""
A stand-in for a GPU: memory is the processor's, and engines run in ONNX Runtime.

It shows that the executing half binds, copies and takes turns as it must. That it runs on a GPU it
cannot show.
"""

from contextlib import contextmanager
import ctypes
import sys
import types
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime


class Memory:
    """A block of memory; whoever holds its address may read and write it."""

    alive = 0

    def __init__(self, size):
        self.block, self.size = (ctypes.c_uint8 * size)(), size
        self.block[:] = b'\xaa' * size  # no block is born as zeros
        Memory.alive += 1

    def __del__(self):
        Memory.alive -= 1

    def __int__(self):
        return ctypes.addressof(self.block)


def at(address, shape, kind):
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), kind).reshape(shape)


class Stream:
    """Work in its order, done when it is waited for: other streams do not wait for it."""

    alive: WeakValueDictionary = WeakValueDictionary()
    born = 0

    def __init__(self):
        Stream.born += 1
        self.handle, self.waits = Stream.born, []
        Stream.alive[self.handle] = self

    def synchronize(self):
        while self.waits:
            self.waits.pop(0)()


class Gpu:
    """
    What is current, what is recorded.

    refuse  so many captures succeed, and no more; None: all
    full    there is no memory left
    """

    def __init__(self, onnx_file, count=1, refuse=None, full=False):
        self.session = onnxruntime.InferenceSession(
            str(onnx_file), providers=['CPUExecutionProvider']
        )
        self.count, self.refuse, self.full = count, refuse, full
        self.pushed, self.recording, self.captures, self.replays, self.plain = 0, None, 0, 0, 0

    def driver(self):
        """Make what `import pycuda.driver` gives."""
        gpu = self

        class Context:
            def push(self):
                gpu.pushed += 1

            @staticmethod
            def pop():
                gpu.pushed -= 1

            def detach(self):
                assert gpu.pushed == 0

        class Device:
            def __init__(self, index):
                if index >= gpu.count:
                    raise made.Error('invalid device ordinal')

            def name(self):
                return 'Stand-in'

            def compute_capability(self):
                return 8, 6

            def retain_primary_context(self):
                return Context()

        def memory(size):
            assert gpu.pushed
            if gpu.full:
                raise made.Error('out of memory')
            return Memory(size)

        def up(device, host, stream):
            there = at(int(device), host.shape, host.dtype)
            stream.waits.append(lambda: np.copyto(there, host))

        def down(host, device, stream):
            there = at(int(device), host.shape, host.dtype)
            stream.waits.append(lambda: np.copyto(host, there))

        made = types.ModuleType('pycuda.driver')
        made.Error = type('Error', (Exception,), {})
        made.Device, made.Context, made.init, made.Stream = Device, Context, int, Stream
        made.mem_alloc, made.pagelocked_empty = memory, np.empty
        made.memset_d8 = lambda device, value, size: ctypes.memset(int(device), value, size)
        made.memcpy_htod_async, made.memcpy_dtoh_async = up, down
        return made

    def runtime(self):
        """Make what cuda-python's runtime is, as far as graphs go."""
        gpu, made = self, types.ModuleType('cuda.bindings.runtime')
        failed = type('Error', (int,), {'name': 'cudaErrorStreamCaptureUnsupported'})(900)

        def begin(stream, mode):
            gpu.recording = []
            return (0,)

        def end(stream):
            work, gpu.recording = gpu.recording, None
            refused = gpu.refuse is not None and gpu.captures >= gpu.refuse
            return (failed, None) if refused else (0, work)

        def launch(work, stream):
            gpu.replays += 1
            Stream.alive[stream].waits.extend(work)
            return (0,)

        def instantiate(work, flags):
            gpu.captures += 1
            return 0, work

        made.cudaStreamCaptureMode = types.SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
        made.cudaStreamBeginCapture, made.cudaStreamEndCapture = begin, end
        made.cudaGraphInstantiate, made.cudaGraphLaunch = instantiate, launch
        made.cudaGraphDestroy = made.cudaGraphExecDestroy = lambda work: (0,)
        made.cudaGetLastError = lambda: (0,)
        return made

    def execution(self):
        """Make an execution context: named tensors at addresses, run by ONNX Runtime."""
        gpu, addresses = self, {}
        types_of = {'tensor(uint8)': np.uint8, 'tensor(float)': np.float32}
        inputs = {each.name: each for each in gpu.session.get_inputs()}
        outputs = {each.name: each for each in gpu.session.get_outputs()}

        def execute(stream):
            assert gpu.pushed and set(addresses) == {*inputs, *outputs}
            where = dict(addresses)

            def work():
                given = {n: at(where[n], e.shape, types_of[e.type]) for n, e in inputs.items()}
                found = gpu.session.run(list(outputs), given)
                for (name, each), value in zip(outputs.items(), found):
                    at(where[name], each.shape, types_of[each.type])[...] = value

            if gpu.recording is None:
                gpu.plain += 1
                Stream.alive[stream].waits.append(work)
            else:
                gpu.recording.append(work)
            return True

        return types.SimpleNamespace(
            set_tensor_address=addresses.__setitem__, execute_async_v3=execute
        )

    def engine(self, trt):
        """Make an engine with the tensors of the file."""
        nodes = {each.name: each for each in self.session.get_inputs()}
        mode = dict.fromkeys(nodes, trt.TensorIOMode.INPUT)
        nodes |= {each.name: each for each in self.session.get_outputs()}
        kinds = {'tensor(uint8)': trt.DataType.UINT8, 'tensor(float)': trt.DataType.FLOAT}
        return types.SimpleNamespace(
            num_io_tensors=len(nodes),
            get_tensor_name=lambda index: list(nodes)[index],
            get_tensor_mode=lambda name: mode.get(name, trt.TensorIOMode.OUTPUT),
            get_tensor_dtype=lambda name: kinds[nodes[name].type],
            get_tensor_shape=lambda name: nodes[name].shape,
            create_execution_context=self.execution,
        )


@contextmanager
def installed(monkeypatch, onnx_file, engines=1, graphs=True, **how):
    """
    Have the stand-in where the GPU's packages would be; gives the Gpu.

    engines  how often in a row an engine is loaded: 0 refuses each
    """
    from rganet_ros.runtime import tensorrt_builder

    gpu, taken = Gpu(onnx_file, **how), []
    package = types.ModuleType('pycuda')
    package.driver = gpu.driver()
    monkeypatch.setitem(sys.modules, 'pycuda', package)
    monkeypatch.setitem(sys.modules, 'pycuda.driver', package.driver)
    bindings = types.ModuleType('cuda.bindings')
    if graphs:
        bindings.runtime = gpu.runtime()
    monkeypatch.setitem(sys.modules, 'cuda', types.ModuleType('cuda'))
    monkeypatch.setitem(sys.modules, 'cuda.bindings', bindings)
    monkeypatch.delitem(sys.modules, 'cuda.bindings.runtime', raising=False)
    for name in ('tensorrt_backend', 'cuda_graph'):
        monkeypatch.delitem(sys.modules, f'rganet_ros.runtime.{name}', raising=False)

    def load(data):
        taken.append(len(data))
        return gpu.engine(tensorrt_builder.trt) if len(taken) >= 2 - engines else None

    runtime = types.SimpleNamespace(deserialize_cuda_engine=load)
    monkeypatch.setattr(tensorrt_builder.trt, 'Runtime', lambda logger: runtime)
    yield gpu
    for name in ('tensorrt_backend', 'cuda_graph'):
        sys.modules.pop(f'rganet_ros.runtime.{name}', None)
