"""No code comes out of models, parameter files or bags, and no claimed size is believed."""

import ast
from pathlib import Path
import struct

from mcap.opcode import Opcode
import pytest
from rganet_ros import bag, options, salvage
import torch

PACKAGE = Path(__file__).parent.parent / 'rganet_ros'
MODULES = {'pickle', 'cPickle', 'dill', 'joblib', 'marshal', 'shelve', 'cloudpickle'}
CALLS = {'eval', 'exec', 'compile', '__import__', 'os.system', 'os.popen', 'yaml.load',
         'yaml.unsafe_load', 'yaml.full_load'}  # fmt: skip


def offences(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            found.append(node.module)
        elif isinstance(node, ast.Call):
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            name = ast.unparse(node.func)
            if name in CALLS or given.get('shell') == 'True':
                found.append(name)
            if name == 'torch.load' and given.get('weights_only') != 'True':
                found.append(name)
            if given.get('allow_pickle', 'False') != 'False':
                found.append(name)
    return found


@pytest.mark.parametrize('path', sorted(PACKAGE.rglob('*.py')), ids=str)
def test_nothing_unpickles_or_executes(path):
    assert offences(path.read_text()) == []


@pytest.mark.parametrize(
    'text',
    ['import pickle', 'from joblib import load', 'eval("1")', 'torch.load(path)', 'yaml.load(x)',
     'subprocess.run(x, shell=True)', 'np.load(p, allow_pickle=True)', 'os.system(x)'],
)  # fmt: skip
def test_a_planted_offence_is_found(text):
    assert offences(text)


class Evil:
    def __reduce__(self):
        return print, ('executed',)


def test_a_checkpoint_that_holds_code_is_refused(tmp_path, capsys):
    torch.save({'network': Evil()}, tmp_path / 'evil.pt')
    with pytest.raises(Exception, match='[Ww]eights'):
        torch.load(tmp_path / 'evil.pt', weights_only=True)
    assert 'executed' not in capsys.readouterr().out


@pytest.mark.parametrize('tag', ['python/object/apply:os.system', 'python/name:os.system'])
def test_yaml_makes_no_objects(tmp_path, tag):
    (tmp_path / 'evil.yaml').write_text(f'limit: !!{tag} ["touch {tmp_path}/executed"]\n')
    with pytest.raises(ValueError, match='not readable YAML'):
        options.read_yaml(tmp_path / 'evil.yaml')
    assert not (tmp_path / 'executed').exists()


def test_a_bags_metadata_make_no_objects(tmp_path):
    (tmp_path / 'metadata.yaml').write_text('x: !!python/object/apply:os.system ["false"]\n')
    (tmp_path / 'a.mcap').write_bytes(b'no mcap')
    with pytest.raises(ValueError, match='cut off or damaged'):
        list(bag.messages(tmp_path))


def _mcap(*records):
    head = b'\x89MCAP0\r\n' + bytes([Opcode.HEADER]) + struct.pack('<Q', 8) + bytes(8)
    return head + b''.join(bytes([op]) + struct.pack('<Q', size) + data
                           for op, size, data in records)  # fmt: skip


@pytest.mark.parametrize('size', [2**40, 2**63, 2**64 - 1])
def test_a_record_that_claims_to_be_enormous_is_not_allocated(tmp_path, size):
    path = tmp_path / 'a.mcap'
    path.write_bytes(_mcap((Opcode.MESSAGE, size, bytes(30))))
    with pytest.raises(bag.Cut):
        list(salvage.messages(path, [path]))
