"""The layer rule: who may import whom, read from the sources."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

PACKAGE = Path(__file__).parent.parent / 'rganet_ros'
SOURCES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob('*.py'))

# A library: the files (or folders/) of the package that may import it.
LIBRARIES = {
    'torch': (
        'networks/',
        'training/',
        'catalogue/',
        'bench/memory.py',
        'bench/networks.py',
        'runtime/torch_backend.py',
    ),
    'safetensors': ('networks/', 'training/'),
    'lightning_fabric': ('training/',),
    'tensorboardX': ('training/',),
    'onnx': ('training/', 'networks/unfold.py', 'runtime/tensorrt_builder.py'),
    'tensorrt': ('runtime/tensorrt_builder.py',),
    'pycuda': ('runtime/tensorrt_backend.py',),
    'cuda': ('runtime/cuda_graph.py',),
    'mujoco': ('synthetic/',),
    'PIL': ('synthetic/', 'viz.py', 'masks.py'),
    'scipy': ('synthetic/',),
    'rosbags': ('bag.py', 'record.py', 'messages.py'),
    'mcap': ('salvage.py', 'inflate.py'),
    'zstandard': ('inflate.py',),
    'lz4': ('inflate.py',),
    'onnxruntime': ('runtime/onnxruntime_backend.py', 'training/precision.py'),
    'openvino': ('runtime/openvino_backend.py',),
    'rclpy': ('node/',),
    'foxglove': ('node/view.py',),
}
MESSAGES = ('_msgs', '_srvs', '_interfaces')  # packages that end so are ROS messages: node/ too

# A part of the package: the other parts that it may import.
WORDS = {'types', 'options'}
PIXELS = {'encodings', 'compressed', 'rectify', 'registration', 'decode', 'region'}
PLACES = {'letterbox', 'geometry', 'motion', 'footprint', 'candidates', 'transforms'}
METRICS = {'metrics', 'mgrid', 'top_precision', 'tally'}
ARRAYS = WORDS | PIXELS | PLACES | METRICS | {'viz', 'oblique'}
ENGINES = WORDS | {'models', 'runtime'}
PREDICTOR = ENGINES | {'letterbox', 'predictor'}
PIPELINE = PREDICTOR | ARRAYS | {'pipeline'}
BAGS = {'cameras', 'messages', 'inflate', 'salvage', 'record', 'bag'}
DATA = {'dataset', 'masks', 'mixture', 'check'}
BESIDE = PIPELINE | BAGS | DATA | {'html', 'normals', 'pictures', 'report'}
MAY_IMPORT = {
    'types': set(),
    'options': set(),
    **{name: ARRAYS for name in ARRAYS - WORDS},
    'models': WORDS,
    'runtime': ENGINES,
    'networks': WORDS | {'networks'},
    'predictor': PREDICTOR,
    'pipeline': PIPELINE,
    'cameras': set(),
    'inflate': set(),
    'salvage': {'inflate'},
    'messages': ARRAYS | {'cameras'},
    'record': ARRAYS | {'cameras', 'messages'},
    'bag': ARRAYS | BAGS - {'record'},
    'dataset': ARRAYS | {'dataset'},
    'masks': WORDS | {'dataset', 'masks'},
    'mixture': WORDS | {'dataset', 'masks', 'mixture'},
    'check': WORDS | {'dataset', 'masks', 'mixture', 'check'},
    'html': set(),
    'normals': ARRAYS,
    'report': ARRAYS | {'dataset', 'report'},
    'trial': PREDICTOR | {'trial'},
    'doctor': PREDICTOR | {'trial', 'doctor'},
    'pictures': ARRAYS | {'dataset', 'pictures'},
    'catalogue': BESIDE | {'networks', 'catalogue'},
    'zoo': BESIDE,
    'training': BESIDE | {'networks', 'training'},
    'synthetic': BESIDE | {'synthetic'},
    'replay': BESIDE | {'replay'},
    'node': BESIDE | {'node'},
}
EXCEPTIONS = {'runtime/torch_backend.py': {'networks'}}
FREE = {'bench', 'cli', '__init__'}  # a bench may import any; the command imports by name


def part(source: str) -> str:
    return source.partition('/')[0].removesuffix('.py')


def imports(source: str, text: str) -> set[str]:
    """List dotted names that a file imports anywhere, functions included."""
    found, package = set(), ['rganet_ros', *source.split('/')[:-1]]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            found |= {f'{module}.{alias.name}' for alias in node.names}
    return found


def offences(source: str, text: str) -> list[str]:
    found = []
    for name in imports(source, text):
        top, *rest = name.split('.')
        if top == 'rganet_ros':
            own = part(source)
            allowed = MAY_IMPORT.get(own, set()) | EXCEPTIONS.get(source, set()) | {own}
            if rest and own not in FREE and rest[0] not in allowed:
                found.append(f'{source} imports {name}')
            continue
        places = ('node/',) if top.endswith(MESSAGES) else LIBRARIES.get(top)
        if places and not source.startswith(places):
            found.append(f'{source} imports {name}, which is for {", ".join(places)}')
    return found


@pytest.mark.parametrize('source', SOURCES)
def test_imports_point_down(source):
    assert offences(source, (PACKAGE / source).read_text()) == []


@pytest.mark.parametrize(
    ('source', 'text'),
    [
        ('pipeline.py', 'import torch'),
        ('pipeline.py', 'def f():\n    from rclpy.node import Node'),
        ('decode.py', 'from sensor_msgs.msg import Image'),
        ('replay/replay.py', 'from rganet_ros.node import encode'),
        ('geometry.py', 'from .pipeline import Pipeline'),
        ('synthetic/label.py', 'from ..training import train'),
        ('runtime/onnxruntime_backend.py', 'import openvino'),
        ('runtime/onnxruntime_backend.py', 'from rganet_ros import networks'),
        ('runtime/torch_backend.py', 'from rganet_ros import networks, pipeline'),
        ('new_part.py', 'from rganet_ros import pipeline'),
    ],
)
def test_a_planted_offence_is_found(source, text):
    assert offences(source, text)


def test_the_pipeline_loads_neither_torch_nor_ros():
    code = (
        'import sys; import rganet_ros.pipeline, rganet_ros.runtime.openvino_backend, '
        'rganet_ros.runtime.onnxruntime_backend, rganet_ros.bag, rganet_ros.cli; '
        'print({"torch", "rclpy", "mujoco", "onnx"} & set(sys.modules))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'set()'
