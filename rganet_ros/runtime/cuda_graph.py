"""A CUDA graph: what a stream was given once is given again in one call. Needs cuda-python."""

from __future__ import annotations

from collections.abc import Callable

from cuda.bindings import runtime as cudart


def _checked(answer: tuple):
    error, *values = answer
    if int(error):
        raise RuntimeError(f'CUDA says {error.name}')
    return values[0] if values else None


class Graph:
    """Recorded work, to be replayed on any stream."""

    def __init__(self, stream: int, work: Callable[[], None]):
        """Record work for a stream, which does not run; RuntimeError where it cannot be."""
        self._ready = None
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        _checked(cudart.cudaStreamBeginCapture(stream, mode))
        try:
            work()
        except Exception:
            cudart.cudaStreamEndCapture(stream)  # else the stream would record for ever
            raise
        finally:
            cudart.cudaGetLastError()  # what was said of this capture is not of later work
        graph = _checked(cudart.cudaStreamEndCapture(stream))
        try:
            self._ready = _checked(cudart.cudaGraphInstantiate(graph, 0))
        finally:
            cudart.cudaGraphDestroy(graph)

    def replay(self, stream: int) -> None:
        """Run it."""
        _checked(cudart.cudaGraphLaunch(self._ready, stream))

    def __del__(self):
        if self._ready is not None:
            cudart.cudaGraphExecDestroy(self._ready)
