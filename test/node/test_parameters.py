import pytest
import rclpy
from rclpy.parameter import Parameter
from rganet_ros.candidates import CandidateOptions
from rganet_ros.node.parameters import descriptor, FIXED, GROUPS, Parameters
from rganet_ros.options import OneOf, options_of
from rganet_ros.predictor import PredictorOptions

ALL = {name: option for group in GROUPS for name, option in options_of(group).items()}


class Given:
    """A node with parameters, as a person would start it."""

    def __init__(self, **values):
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.node = rclpy.create_node('given', parameter_overrides=overrides)
        self.configured, self.changes = False, 0
        self.parameters = Parameters(self.node, lambda: self.configured, self._changed)

    def _changed(self):
        self.changes += 1

    def set(self, **values):
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        return self.node.set_parameters_atomically(parameters)


@pytest.fixture
def given(ros):
    made = []

    def make(**values):
        made.append(Given(**values))
        return made[-1]

    yield make
    for each in made:
        each.node.destroy_node()


def test_no_two_options_have_one_name():
    assert sum(len(options_of(group)) for group in GROUPS) == len(ALL)


def test_the_defaults_are_those_of_the_dataclasses(given):
    parameters = given().parameters
    assert parameters.predictor == PredictorOptions()
    assert parameters.candidates == CandidateOptions()
    assert parameters.node.autostart and parameters.node.depth


@pytest.mark.parametrize('name', ALL)
def test_each_is_described_with_its_bounds(given, name):
    option, said = ALL[name], descriptor(ALL[name])
    assert said.description == option.text
    if isinstance(option.bounds, OneOf):
        assert all(value in said.additional_constraints for value in option.bounds.values)
    elif option.bounds is not None and option.type in (int, float):
        (bounds,) = [*said.floating_point_range, *said.integer_range]
        assert (bounds.from_value, bounds.to_value) == option.bounds


def test_values_are_taken_and_lists_become_tuples(given):
    parameters = given(workspace=[-1.0, -1.0, 0.0, 1.0, 1.0, 2.0], depth=False).parameters
    assert parameters.candidates.workspace == (-1, -1, 0, 1, 1, 2)
    assert not parameters.node.depth


@pytest.mark.parametrize(
    'values', [{'min_score': 1.5}, {'limit': 0}, {'backend': 'abacus'}, {'workspace': [1.0]}]
)
def test_a_value_that_cannot_be_is_refused_at_start(given, values):
    with pytest.raises(Exception, match=next(iter(values))):
        given(**values)


def test_live_ones_change_together_or_not_at_all(given):
    owner = given()
    assert owner.set(min_score=0.7, limit=3).successful
    assert (owner.parameters.candidates.min_score, owner.parameters.candidates.limit) == (0.7, 3)
    assert owner.changes == 1
    refused = owner.set(min_score=0.1, up=[0.0, 0.0, 0.0])
    assert not refused.successful and 'up' in refused.reason
    assert owner.parameters.candidates.min_score == 0.7
    assert owner.node.get_parameter('min_score').value == 0.7
    nan = owner.set(min_score=float('nan'))
    assert not nan.successful
    assert owner.changes == 1


@pytest.mark.parametrize('name', sorted(FIXED))
def test_fixed_ones_change_only_while_unconfigured(given, name):
    owner = given()
    old = owner.node.get_parameter(name).value
    values = {str: 'onnxruntime', bool: not old, int: 1, float: 0.5}
    bounds = ALL[name].bounds
    new = bounds.values[-1] if isinstance(bounds, OneOf) else values[type(old)]
    owner.configured = True
    refused = owner.set(**{name: new})
    assert not refused.successful and 'unconfigured' in refused.reason
    assert owner.node.get_parameter(name).value == old
    assert owner.set(**{name: old}).successful
    owner.configured = False
    assert owner.set(**{name: new}).successful


def test_an_unknown_parameter_is_named(given, capfd):
    given(min_scroe=0.5)
    assert 'min_scroe' in capfd.readouterr().err
