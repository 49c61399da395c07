from array import array
from dataclasses import dataclass, field, FrozenInstanceError
from importlib import import_module
import math
import re
from typing import Annotated

import pytest
from rganet_ros.options import make, OneOf, Option, options_of, Range

# Every options dataclass there is, and where a user's values for it come from.
SHIPPED = {
    'rganet_ros.candidates:CandidateOptions': 'ROS parameters, YAML',
    'rganet_ros.predictor:PredictorOptions': 'ROS parameters, YAML',
    'rganet_ros.synthetic.recipe:Recipe': 'YAML',
    'rganet_ros.training.config:Recipe': 'YAML',
}


@dataclass(frozen=True)
class Cup:
    radius: Annotated[float, Range(0.002, 0.1), 'of the lip, metres'] = 0.015
    bellows: Annotated[int, Range(0, 5), 'how many'] = 1
    vented: Annotated[bool, 'lets air in'] = False
    rubber: Annotated[str, OneOf(('silicone', 'nitrile')), 'of the lip'] = 'silicone'
    note: Annotated[str, 'anything'] = ''
    up: Annotated[tuple, Range(-1, 1), 'x y z'] = (0.0, 0.0, -1.0)
    extra: Annotated[dict, 'anything'] = field(default_factory=dict)

    def __post_init__(self):
        if len(self.up) != 3:
            raise ValueError(f'up = {self.up} must be three numbers')


def test_options_come_in_the_order_of_the_fields_with_what_was_said_of_them():
    options = options_of(Cup)
    assert list(options) == ['radius', 'bellows', 'vented', 'rubber', 'note', 'up', 'extra']
    assert options['radius'] == Option(
        'radius', float, 0.015, Range(0.002, 0.1), 'of the lip, metres'
    )
    assert options['rubber'].bounds == OneOf(('silicone', 'nitrile'))
    assert options['note'] == Option('note', str, '', None, 'anything')


def test_plain_values_become_checked_options():
    values = {'radius': 0.02, 'bellows': 2, 'vented': True, 'rubber': 'nitrile', 'note': 'blue'}
    made = make(Cup, {**values, 'up': [0, 1, 0], 'extra': {'a': 1}})
    assert made == Cup(0.02, 2, True, 'nitrile', 'blue', (0.0, 1.0, 0.0), {'a': 1})
    assert {type(number) for number in made.up} == {float}
    with pytest.raises(FrozenInstanceError):
        made.radius = 1.0


def test_what_is_not_given_keeps_its_default():
    assert make(Cup, {}) == Cup()


@pytest.mark.parametrize('bound', [0.002, 0.1])
def test_bounds_are_inclusive(bound):
    assert make(Cup, {'radius': bound}).radius == bound


@pytest.mark.parametrize('three', [[0.0, 0.5, 1.0], (0, 0.5, 1), array('d', [0, 0.5, 1])])
def test_numbers_may_come_in_yaml_lists_and_ros_arrays(three):
    assert make(Cup, {'up': three}).up == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ('name', 'value', 'sentence'),
    [
        ('radios', 0.01, "unknown option 'radios': expected one of radius, bellows, vented"),
        ('radius', 0.0019, 'radius = 0.0019 must be in 0.002..0.1'),
        ('radius', 0.11, 'radius = 0.11 must be in 0.002..0.1'),
        ('radius', math.nan, 'radius = nan must be in'),
        ('radius', math.inf, 'radius = inf must be in'),
        ('radius', '0.01', "radius = '0.01' must be a number"),
        ('radius', True, 'radius = True must be a number'),
        ('radius', None, 'radius = None must be a number'),
        ('bellows', 2.0, 'bellows = 2.0 must be a whole number'),
        ('bellows', True, 'bellows = True must be a whole number'),
        ('bellows', 6, 'bellows = 6 must be in 0..5'),
        ('vented', 1, 'vented = 1 must be true or false'),
        ('vented', 'yes', "vented = 'yes' must be true or false"),
        ('rubber', 'steel', "rubber = 'steel' must be one of silicone, nitrile"),
        ('rubber', False, 'rubber = False must be a text'),
        ('up', '001', "up = '001' must be a list of numbers"),
        ('up', 1.0, 'up = 1.0 must be a list of numbers'),
        ('up', [0, None, 1], 'up = [0, None, 1] must be a list of numbers'),
        ('up', [0, '0', 1], "up = [0, '0', 1] must be a list of numbers"),
        ('up', {0: 1}, 'up = {0: 1} must be a list of numbers'),
        ('up', [0, 0, 2], 'must be in -1..1'),
        ('up', [0, 0, math.nan], 'must be in -1..1'),
        ('up', [0, 1], 'up = (0.0, 1.0) must be three numbers'),
        ('extra', [1], 'extra = [1] must be a mapping'),
    ],
)
def test_what_is_not_accepted_is_named_with_what_is(name, value, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make(Cup, {name: value})


@pytest.mark.parametrize('place', SHIPPED)
def test_shipped_defaults_are_within_their_own_bounds(place):
    module, _, name = place.partition(':')
    cls = getattr(import_module(module), name)
    options = options_of(cls)
    defaults = cls()
    assert make(cls, {name: getattr(defaults, name) for name in options}) == defaults


@pytest.mark.parametrize('place', SHIPPED)
def test_every_shipped_option_is_described_and_every_number_bounded(place):
    module, _, name = place.partition(':')
    for option in options_of(getattr(import_module(module), name)).values():
        assert option.text.strip()
        assert option.type not in (int, float, tuple) or isinstance(option.bounds, Range), option
