"""Why pictures of a lens must come rectified, in words; without ROS."""

from __future__ import annotations

from rganet_ros import rectify


def distorts(name: str, info) -> str:
    """Say how far raw pictures of the camera_info of this name are off; '' where they are not."""
    pixels = rectify.distortion(info)
    if pixels <= 1:
        return ''
    expected = 'a rectified picture is expected (image_rect of image_proc)'
    if pixels == float('inf'):
        return (
            f'{name} has distortion of model {info.distortion_model!r} with {len(info.d)} '
            f'coefficients, which is not known here: {expected}'
        )
    return (
        f'{name} has distortion, up to {pixels:.0f} pixels: {expected}; with a raw one set '
        'parameter rectify to true, or places are wrong by as much'
    )
