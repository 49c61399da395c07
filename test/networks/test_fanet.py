from lively import lively
import pytest
from rganet_ros import networks
from rganet_ros.networks.count import count
from rganet_ros.networks.fanet import ATTENTION, Config, FastAttention
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

# Parameters in millions and multiply-adds in billions at 1024 x 2048 with 19 classes. The counts
# of the authors' code have 0.302 more (four times that without reduction): there the 1/64 map is
# smoothed in inference too.
COUNTS = {
    'fanet18': (13.670, 47.39),
    'fanet34': (23.778, 66.72),
    'fanet18-no-attention': (None, 45.82),
    'fanet18-channel': (None, 47.43),
    'fanet18-self': (None, 162.31),
    'fanet18-none': (None, 174.2),
    'fanet18-conv0': (None, 43.6),
    'fanet18-res2': (None, 129.1),
    'fanet18-res3': (None, 143.4),
    'fanet18-res4': (None, 159.3),
}


@pytest.mark.parametrize(('name', 'expected'), COUNTS.items())
def test_counts(name, expected):
    found = count(name)
    smoothing = 0.302 * (4 if name == 'fanet18-none' else 1)
    assert found.multiply_adds / 1e9 + smoothing == pytest.approx(expected[1], rel=0.005)
    if expected[0]:
        assert round(found.parameters / 1e6, 3) == expected[0]


# Table I: multiply-adds in billions of one module on C x 128 x 256.
TABLE_1 = {
    'fast': {32: 0.20, 64: 0.54, 128: 1.61, 256: 5.37, 512: 19.33, 1024: 73.01},
    'self': {32: 68.85, 64: 103.48, 128: 173.14, 256: 314.07, 512: 602.37, 1024: 1204.74},
}


@pytest.mark.parametrize(
    ('kind', 'channels', 'billions'),
    [(kind, *row) for kind, rows in TABLE_1.items() for row in rows.items()],
)
def test_table_1(kind, channels, billions):
    with torch.device('meta'):
        module = ATTENTION[kind](channels, Config(attention=kind)).eval()
        x = torch.zeros(1, channels, 128, 256)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(x)
    assert counter.get_total_flops() / 2e9 == pytest.approx(billions, rel=0.005, abs=0.005)


@pytest.mark.parametrize('scale_by_n', [False, True])
@pytest.mark.parametrize('l2', [False, True])
def test_fast_attention_is_attention_without_softmax(l2, scale_by_n):
    torch.manual_seed(0)
    layer = FastAttention(24, Config(reduced=8, l2=l2, scale_by_n=scale_by_n)).double().eval()
    x = torch.randn(2, 24, 5, 7, dtype=torch.float64)
    query, key, value = (f(x).flatten(2) for f in (layer.query, layer.key, layer.value))
    if l2:
        query, key = (q / q.norm(dim=1, keepdim=True) for q in (query, key))
    weights = torch.einsum('bci,bcj->bij', query, key) / (35 if scale_by_n else 1)
    direct = torch.einsum('bij,bcj->bci', weights, value).view_as(x)
    assert torch.allclose(layer(x)[0], x + layer.out(direct), atol=1e-12)


def test_the_finest_map_is_an_eighth():
    network = networks.build('fanet18')
    maps = network.backbone(torch.zeros(1, 3, 128, 192))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 16, 24), (128, 8, 12), (256, 4, 6), (512, 2, 3),
    ]  # fmt: skip


def test_a_depth_model_reads_depth_and_a_colour_model_does_not():
    image, near, far = torch.rand(1, 3, 64, 64), torch.full((1, 1, 64, 64), 0.5), None
    far = near.clone()
    far[..., 20:40, 20:40] = 0.45
    with torch.no_grad():
        with_depth = networks.build('fanet18', {'depth': True}).eval()
        assert not torch.equal(with_depth(image, near)['logits'], with_depth(image, far)['logits'])
        without = networks.build('fanet18').eval()
        assert torch.equal(without(image, near)['logits'], without(image)['logits'])


def frames_of(length, batch=2):
    generator = torch.Generator().manual_seed(5)
    return torch.randn(length, batch, 24, 5, 7, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize('frames', [2, 3, 8])
@pytest.mark.parametrize('temporal', ['sum', 'mean'])
def test_the_window_is_attention_over_the_frames_side_by_side(frames, temporal):
    """Equation 4 with the fast f, computed directly over all frames' keys and values."""
    torch.manual_seed(0)
    config = Config(reduced=8, scale_by_n=True, frames=frames, temporal=temporal)
    layer = FastAttention(24, config).double().eval()
    clip, past = frames_of(frames + 3), torch.zeros(2, frames - 1, 24, 8, dtype=torch.float64)
    for t, x in enumerate(clip):
        filled = torch.full((2,), float(min(t, frames - 1)), dtype=torch.float64)
        found, context = layer(x, past, filled)
        past = torch.cat([past[:, 1:], context[:, None]], 1)

        seen = torch.stack(list(clip[max(0, t - frames + 1) : t + 1]), -1)  # B c h w T
        query = functional.normalize(layer.query(x).flatten(2), dim=1)
        key, value = (
            torch.cat([f(each).flatten(2) for each in seen.unbind(-1)], 2)
            for f in (layer.key, layer.value)
        )
        weights = query.mT @ functional.normalize(key, dim=1) / 35  # B n (T n)
        direct = value @ weights.mT / (seen.shape[-1] if temporal == 'mean' else 1)
        expected = x + layer.out(direct.view(x.shape))
        assert (found - expected).abs().max() < 1e-10


def temporal(**config):
    torch.manual_seed(0)
    return lively(networks.build('fanet18-temporal', {'frames': 3, **config})).double().eval()


def empty(network, batch=1):
    return {k: torch.zeros(v).double() for k, v in network.state_shapes(batch).items()}


@pytest.mark.parametrize('mode', ['sum', 'mean'])
def test_an_empty_memory_is_the_single_frame_network(mode):
    network = temporal(temporal=mode)
    single = networks.build('fanet18', {'scale_by_n': True}).double().eval()
    single.load_state_dict(network.state_dict())
    image = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        found = network(image, **empty(network))
        assert (found['logits'] - single(image)['logits']).abs().max() < 1e-10


def test_the_memory_fills_and_stays_a_window():
    network = temporal()
    state, image = empty(network), torch.rand(1, 3, 64, 96, dtype=torch.float64)
    filled, outputs = [], []
    with torch.no_grad():
        for t in range(5):
            out = network(image.roll(7 * t, -1), **state)
            state = {name: out[f'next_{name}'] for name in state}
            filled.append(state['filled'].item())
            outputs.append(out)
    assert filled == [1, 2, 2, 2, 2]
    last = outputs[-1]
    assert torch.equal(last['next_context0'][:, 0], outputs[-2]['next_context0'][:, 1])
    assert state['context0'].abs().min() >= 0 and state['context0'].abs().max() > 0
    alone = network(image.roll(28, -1), **empty(network))
    assert (alone['logits'] - last['logits']).abs().max() > 1e-3


def test_gradients_reach_the_past_unless_it_is_detached():
    network = temporal().train()
    clip = torch.rand(2, 2, 3, 64, 96, dtype=torch.float64)

    def gradient(detach):
        first = clip[0].clone().requires_grad_()
        out = network(first, **empty(network, 2))
        state = {k: out[f'next_{k}'] for k in network.state_shapes(2)}
        if detach:
            state = {k: v.detach() for k, v in state.items()}
        network(clip[1], **state)['logits'].square().mean().backward()
        return first.grad

    assert gradient(detach=True) is None
    assert gradient(detach=False).abs().max() > 0


def test_the_memory_is_float32_under_half_precision():
    network = networks.build('fanet18-temporal').eval()
    state = {k: torch.zeros(v) for k, v in network.state_shapes(1).items()}
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        out = network(torch.rand(1, 3, 64, 96), **state)
    assert {out[f'next_{name}'].dtype for name in state} == {torch.float32}


@pytest.mark.parametrize(
    'change',
    [
        {'attention': 'self'}, {'attention': 'channel'}, {'attention': 'none'}, {'l2': False},
        {'reduced': 8}, {'reduction': 'res2'}, {'reduction': 'conv0'}, {'reduce_by': 'average'},
        {'reduce_by': 'maximum'}, {'scale_by_n': True}, {'width': 64},
    ],
    ids=str,
)  # fmt: skip
def test_options_change_what_is_computed(change):
    image, found = torch.rand(1, 3, 64, 96), []
    for options in ({}, change):
        torch.manual_seed(0)
        with torch.no_grad():
            found.append(networks.build('fanet18', options).eval()(image)['logits'])
    assert not torch.allclose(*found)


def test_refusals():
    for options, words in (
        ({'attention': 'slow'}, "attention = 'slow' must be one of fast, self, channel, none"),
        ({'frames': 2, 'attention': 'self'}, 'frames = 2 must be 1 or more, and 1 unless'),
        ({'reduction': 'res5'}, "reduction = 'res5' must be one of res1, none"),
    ):
        with pytest.raises(ValueError, match=words):
            networks.build('fanet18', options)
