"""Topics of the cameras of a bag, told by their names."""

import pytest
from rganet_ros import cameras
from rganet_ros.cameras import CLOUD, COMPRESSED, IMAGE, Topics


def test_one_camera_whatever_its_names():
    assert cameras.group(['/rgb'], ['/tof/depth'], ['/calibration']) == [
        Topics('/rgb', '/tof/depth', '/calibration')
    ]
    assert cameras.group(['/rgb'], [], []) == [Topics('/rgb')]


def test_each_camera_gets_its_own():
    colours = ['/cell/left/color/image_raw', '/cell/right/color/image_raw/compressed']
    depths = ['/cell/right/depth/image_raw', '/cell/left/depth/image_raw']
    infos = ['/cell/left/color/camera_info', '/cell/right/color/camera_info', '/cell/camera_info']
    assert cameras.group(colours, depths, infos) == [
        Topics(colours[0], depths[1], infos[0]),
        Topics(colours[1], depths[0], infos[1]),
    ]
    assert cameras.group(['/a/image', '/b/image'], ['/b/depth'], []) == [
        Topics('/a/image'),
        Topics('/b/image', '/b/depth'),
    ]


def test_depth_on_the_colours_pixels_goes_before_the_sensors_own():
    depths = ['/camera/depth/image_rect_raw', '/camera/aligned_depth_to_color/image_raw']
    assert cameras.group(['/camera/color/image_raw'], depths, [])[0].depth == depths[1]


@pytest.mark.parametrize(
    ('colours', 'depths', 'infos', 'words'),
    [
        (['/c/rgb'], ['/c/one', '/c/two'], [], 'several depth topics go with /c/rgb'),
        (['/c/rgb', '/c/infra'], ['/c/depth'], [], 'several colour topics go with one depth'),
        (['/c/rgb'], [], ['/one', '/two'], 'several camera_info topics'),
    ],
)
def test_what_cannot_be_told_apart_is_refused(colours, depths, infos, words):
    with pytest.raises(ValueError, match=words):
        cameras.group(colours, depths, infos)


def test_copies_and_answers_and_masks_are_no_cameras():
    types = {
        '/workspace_mask': IMAGE, '/c/workspace_mask/compressed': COMPRESSED,
        '/c/image': IMAGE, '/c/image/compressed': COMPRESSED, '/d/image/compressed': COMPRESSED,
        '/perception/overlay': IMAGE, '/perception/candidates': CLOUD, '/points': CLOUD,
    }  # fmt: skip
    assert cameras.pictures(types) == {'/c/image', '/d/image/compressed'}


def test_the_depth_cameras_own_intrinsics():
    infos = ['/c/color/camera_info', '/c/depth/camera_info']
    found = cameras.group(['/c/color/image'], ['/c/depth/image/compressedDepth'], infos)
    assert found == [Topics('/c/color/image', '/c/depth/image/compressedDepth', *infos)]
    assert cameras.group(['/c/rgb'], [], infos, '/c/color/camera_info')[0].info == infos[0]
