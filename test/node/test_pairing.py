from rganet_ros.node import pairing
from rganet_ros.node.pairing import Gate, Pairing, WAITING

MS = 1_000_000
SECOND = 1000 * MS


def names(found):
    return None if found is None else (found.image, found.depth, found.info)


def test_colour_depth_and_info_of_one_stamp_are_a_set_in_any_order():
    for order in ('cdi', 'dci', 'idc', 'icd', 'dic'):
        pairing = Pairing(True, 0.02)
        take = {
            'c': lambda p=pairing: p.image(5 * SECOND, 'colour'),
            'd': lambda p=pairing: p.depth(5 * SECOND + MS, 'depth'),
            'i': lambda p=pairing: p.camera_info(5 * SECOND, 'info'),
        }
        found = [take[letter]() for letter in order]
        assert [names(each) for each in found] == [None, None, ('colour', 'depth', 'info')]
        assert found[-1].stamp == 5 * SECOND


def test_without_depth_every_picture_is_a_set():
    pairing = Pairing(False, 0.02)
    assert [names(pairing.image(n, n)) for n in range(3)] == [(n, None, None) for n in range(3)]
    assert pairing.received == {'image': 3}


def test_without_depth_a_picture_waits_for_its_camera_info_where_that_is_needed():
    pairing = Pairing(False, 0.02, with_info=True)
    assert pairing.image(SECOND, 'picture') is None
    found = pairing.camera_info(SECOND, 'lens')
    assert (found.image, found.depth, found.info) == ('picture', None, 'lens')
    assert pairing.camera_info(2 * SECOND, 'next') is None
    assert pairing.image(2 * SECOND, 'second').info == 'next'


def test_stamps_further_apart_than_the_tolerance_do_not_belong_together():
    pairing = Pairing(True, 0.02)
    for n in range(WAITING + 2):
        assert pairing.image(n * 100 * MS, n) is None
        assert pairing.depth(n * 100 * MS + 30 * MS, n) is None
    assert pairing.unpaired == 2
    assert '0.030 s' in pairing.stuck()
    pairing.tolerance = 0.04
    assert pairing.depth((WAITING + 1) * 100 * MS, 'near') is None  # waits for camera_info
    assert pairing.stuck() == ''


def test_the_nearest_depth_and_the_newest_picture_win():
    pairing = Pairing(True, 0.02)
    pairing.camera_info(100 * MS, 'info')
    pairing.depth(85 * MS, 'far')
    pairing.depth(101 * MS, 'near')
    pairing.depth(115 * MS, 'far too')
    assert names(pairing.image(100 * MS, 'colour')) == ('colour', 'near', 'info')
    pairing.image(200 * MS, 'old')
    pairing.image(210 * MS, 'new')
    pairing.camera_info(210 * MS, 'info too')
    assert names(pairing.depth(209 * MS, 'depth')) == ('new', 'depth', 'info too')
    assert pairing.unpaired == 1


def test_a_late_info_is_waited_for_once_and_then_no_more():
    pairing = Pairing(True, 0.02)
    pairing.image(0, 'c0')
    assert pairing.depth(0, 'd0') is None
    pairing.image(SECOND, 'c1')
    assert names(pairing.depth(SECOND, 'd1')) == ('c1', 'd1', None)
    assert pairing.unpaired == 1
    pairing.image(2 * SECOND, 'c2')
    assert names(pairing.depth(2 * SECOND, 'd2')) == ('c2', 'd2', None)
    # Intrinsics that come seldom are good for all pictures after them.
    assert pairing.camera_info(2 * SECOND + 500 * MS, 'i') is None
    pairing.image(3 * SECOND, 'c3')
    assert names(pairing.depth(3 * SECOND, 'd3')) == ('c3', 'd3', 'i')


def test_a_single_set_does_not_wait_for_info_for_ever(monkeypatch):
    pairs = Pairing(True, 0.02)
    pairs.image(0, 'c')
    pairs.depth(0, 'd')
    assert pairs.overdue() is None
    monkeypatch.setattr(pairing, 'PATIENCE', 0.0)
    assert names(pairs.overdue()) == ('c', 'd', None)
    assert pairs.overdue() is None


def test_intrinsics_of_each_picture_go_with_it():
    pairing = Pairing(True, 0.02)
    for n in range(4):
        pairing.image(n * SECOND, n)
        assert pairing.depth(n * SECOND, n) is None
        assert names(pairing.camera_info(n * SECOND, n)) == (n, n, n)


def test_zero_stamps_pair_in_the_order_of_arrival():
    pairing = Pairing(True, 0.02)
    pairing.camera_info(0, 'i')
    for n in range(3):
        assert pairing.image(0, n) is None
        assert names(pairing.depth(0, n)) == (n, n, 'i')


def test_the_depth_cameras_own_intrinsics_are_the_last_that_came():
    pairing = Pairing(True, 0.02)
    pairing.camera_info(0, 'i')
    for n in range(2):
        assert pairing.depth_camera_info(0, f'lens {n}') is None
        pairing.image(n * MS, n)
        assert pairing.depth(n * MS, n).depth_info == f'lens {n}'


def test_what_waits_can_be_forgotten():
    pairing = Pairing(True, 0.02)
    pairing.camera_info(0, 'i')
    pairing.image(0, 'old')
    pairing.forget()
    assert pairing.depth(0, 'd') is None
    assert pairing.unpaired == 1
    assert names(pairing.image(MS, 'new')) == ('new', 'd', 'i')


def test_late_is_a_little_back_and_far_back_is_another_beginning():
    gate = Gate()
    assert not gate.late(10 * SECOND)
    assert not gate.late(10 * SECOND)
    assert gate.late(10 * SECOND - 1)
    assert gate.late(10 * SECOND - 500 * MS)
    assert not gate.late(10 * SECOND - 501 * MS)
    assert gate.last == 10 * SECOND - 501 * MS
    assert not gate.late(0)
    assert not gate.late(5)
