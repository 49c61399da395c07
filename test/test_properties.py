"""Whatever comes in: only the documented refusals, and never a pose that cannot be."""

from types import SimpleNamespace
import warnings

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rganet_ros import decode
from rganet_ros.candidates import CandidateOptions, find_candidates
from rganet_ros.types import Camera, Detection
from rganet_ros.viz import overlay

few = settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
encodings = st.sampled_from(
    ['rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'mono16', '16UC1', '32FC1', 'yuv422', 'nv12',
     'yuv422_yuy2', 'bayer_rggb8', 'bayer_gbrg16', '8UC3', '', 'none']
) | st.text(max_size=8)  # fmt: skip
sides = st.integers(0, 9) | st.sampled_from([2**16, 2**31, 2**32 - 1])
numbers = st.floats(width=64) | st.sampled_from([0.0, 150.0, 600.0, 1e300, 1e-300])
formats = st.sampled_from(
    ['jpeg', 'png', 'rgb8; jpeg compressed bgr8', '16UC1; compressedDepth png', '', 'tiff']
)
headers = st.builds(
    lambda sec, nanosec, name: SimpleNamespace(
        stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id=name
    ),
    st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1), st.text(max_size=3),
)  # fmt: skip


@st.composite
def images(draw):
    height, width = draw(sides), draw(sides)
    data = draw(st.binary(max_size=600))
    step = draw(sides | st.just(3 * width) | st.just(2 * width) | st.just(width))
    return SimpleNamespace(
        header=draw(headers), height=height, width=width, encoding=draw(encodings),
        is_bigendian=draw(st.integers(0, 255)), step=step, data=np.frombuffer(data, np.uint8),
    )  # fmt: skip


@st.composite
def compressed(draw):
    start = draw(st.sampled_from([b'', b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', bytes(12)]))
    data = np.frombuffer(start + draw(st.binary(max_size=200)), np.uint8)
    return SimpleNamespace(header=draw(headers), format=draw(formats), data=data)


@st.composite
def infos(draw):
    def some(count):
        return draw(st.lists(numbers, min_size=count, max_size=count))

    roi = SimpleNamespace(
        x_offset=draw(sides), y_offset=draw(sides), width=draw(sides), height=draw(sides),
        do_rectify=False,
    )  # fmt: skip
    return SimpleNamespace(
        header=draw(headers), height=draw(sides), width=draw(sides), k=some(9), p=some(12),
        d=some(5), r=some(9), distortion_model=draw(st.sampled_from(['', 'plumb_bob', 'x'])),
        binning_x=draw(sides), binning_y=draw(sides), roi=roi,
    )  # fmt: skip


pictures = images() | compressed() if hasattr(decode, 'encoding') else images()


@few
@given(pictures, st.none() | pictures, st.none() | infos(), st.booleans())
def test_messages_of_any_kind_are_decoded_or_refused(image, depth, info, rectify):
    try:
        frame = decode.frame(image, depth, info, rectify=rectify)
    except decode.Undecodable as refusal:
        assert refusal.reason and str(refusal)
        return
    assert frame.rgb.dtype == np.uint8 and frame.rgb.ndim == 3 and frame.rgb.size
    if frame.depth is not None:
        assert frame.depth.shape == frame.rgb.shape[:2]
        assert np.isfinite(frame.depth).all() and (frame.depth >= 0).all()


@few
@given(st.integers(0, 2**32 - 1), st.lists(numbers, min_size=20, max_size=20), st.booleans())
def test_lenses_and_places_of_any_numbers_give_depth_or_a_refusal(seed, given_numbers, rectify):
    """With sizes that agree, so that the numbers are reached."""
    rng = np.random.default_rng(seed)
    info = CameraInfo(30, 40, rng, given_numbers)
    pixels = rng.integers(0, 2**16, (30, 40), np.uint16)
    colour = rng.integers(0, 255, (30, 40, 3), np.uint8)
    pose = np.reshape([*given_numbers[4:], 0, 0, 0, 1], (5, 4))[1:]
    for place in (None, pose):
        image = message(colour, 'rgb8')
        try:
            frame = decode.frame(image, message(pixels, '16UC1'), info, info, rectify, place)
        except decode.Undecodable as refusal:
            assert refusal.reason and str(refusal)
            continue
        assert frame.depth.shape == frame.rgb.shape[:2] == (30, 40)
        assert np.isfinite(frame.depth).all() and (frame.depth >= 0).all()


def message(pixels, encoding):
    """Make an Image of an array."""
    header = SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=0), frame_id='eye')
    data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
    return SimpleNamespace(
        header=header, height=len(pixels), width=pixels.shape[1], encoding=encoding,
        is_bigendian=0, step=data.size // len(pixels), data=data,
    )  # fmt: skip


class CameraInfo(SimpleNamespace):
    """Intrinsics with some of the numbers given, the others likely."""

    def __init__(self, height, width, rng, given_numbers):
        f = 50.0 if rng.random() < 0.7 else given_numbers[0]
        d = given_numbers[:5] if rng.random() < 0.5 else [0.1, 0, 0, 0, 0]
        r = given_numbers[5:14] if rng.random() < 0.5 else np.eye(3).ravel()
        roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False)
        super().__init__(
            height=height, width=width, k=[f, 0, 20, 0, 50, 15, 0, 0, 1], d=d, r=r, p=[0] * 12,
            distortion_model='plumb_bob', binning_x=0, binning_y=0, roi=roi,
        )  # fmt: skip


def check(found, options, shape):
    assert len(found) <= options.limit
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    for candidate in found:
        assert 0 <= candidate.u < shape[1] and 0 <= candidate.v < shape[0]
        assert 0 <= candidate.score <= 1 + 1e-6
        place = np.array(candidate[:6])
        assert np.isfinite(place).all() or np.isnan(place).all()
        if np.isfinite(candidate.z):
            assert candidate.z > 0, 'behind the camera'
            assert candidate.normal_z < 0, 'turned away'
            assert abs(np.linalg.norm(place[3:]) - 1) < 1e-3


@st.composite
def scenes(draw):
    """Affordance, depth and camera, each sensible or not at all."""
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(['bits', 'plane', 'noise', 'holes', 'tiny', 'huge']))
    plane = np.full((height, width), draw(st.floats(0.002, 5)), np.float32)
    depth = {
        'bits': lambda: rng.integers(0, 2**32, plane.shape, np.uint32).view(np.float32),
        'plane': lambda: plane + np.linspace(0, 0.1, width, dtype=np.float32),
        'noise': lambda: plane * rng.random(plane.shape, np.float32),
        'holes': lambda: plane * rng.choice(np.float32([0, 1, np.nan, np.inf, -1]), plane.shape),
        'tiny': lambda: plane * np.float32(1e-38),
        'huge': lambda: plane * np.float32(1e37),
    }[kind]()
    focal = st.sampled_from([1.0, 30.0, 60.0, 600.0, 1e5]) | numbers
    centre = st.floats(-20, 80) | numbers
    camera = Camera(draw(focal), draw(focal), draw(centre), draw(centre), width, height)
    affordance = rng.random(plane.shape, np.float32) * draw(st.sampled_from([0, 0.6, 1]))
    if draw(st.booleans()):
        affordance = np.where(affordance > 0.1, np.float32(0.9), np.float32(np.nan))
    return affordance.astype(np.float32), depth, camera


@few
@given(scenes(), st.floats(0.002, 0.1), st.floats(0, 0.1), st.floats(0, 1), st.floats(0, 1.5))
def test_promise_16_no_pose_is_nan_or_behind_the_camera(scene, radius, margin, low, tilt):
    affordance, depth, camera = scene
    options = CandidateOptions(
        cup_radius=radius, edge_margin=margin, min_affordance=low, min_score=low / 2, max_tilt=tilt
    )
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)
        found = find_candidates(affordance, depth, camera, options)
        check(find_candidates(affordance, None, camera, options), options, affordance.shape)
    check(found, options, affordance.shape)
    rgb = np.zeros((*affordance.shape, 3), np.uint8)
    assert overlay(rgb, Detection(affordance, rgb[..., 0], found)).shape == rgb.shape


@pytest.mark.parametrize('focal', [1e-300, 1e300, float('inf'), float('nan'), -150.0, 0.0])
def test_a_lens_that_cannot_be_gives_pixels_only(focal):
    affordance, depth = np.ones((40, 60), np.float32), np.full((40, 60), 0.5, np.float32)
    for camera in (
        Camera(focal, 60, 30, 20, 60, 40), Camera(60, focal, 30, 20, 60, 40),
        Camera(60, 60, focal * 1e9, 20, 60, 40) if focal > 1e9 else Camera(focal, 1, 1, 1, 60, 40),
    ):  # fmt: skip
        found = find_candidates(affordance, depth, camera)
        assert found and all(np.isnan(candidate.z) for candidate in found)


@few
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), max_size=3))
def test_sizes_that_do_not_agree_are_refused(changes):
    affordance, depth = np.ones((20, 30), np.float32), np.full((20, 30), 0.5, np.float32)
    for rows, columns in changes:
        camera = Camera(60, 60, 15, 10, 30 + columns, 20 + rows)
        if rows or columns:
            with pytest.raises(ValueError, match='size'):
                find_candidates(affordance, depth, camera)
            with pytest.raises(ValueError, match='size'):
                find_candidates(affordance, np.ones((20 + rows, 30 + columns)), None)
        else:
            assert find_candidates(affordance, depth, camera)
