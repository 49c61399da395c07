"""How far sight goes: labels of held-out frames, made again without what no camera sees."""

import numpy as np
import pytest
from rganet_ros.synthetic import generate, label, render
from rganet_ros.synthetic.cup import CUPS
from rganet_ros.synthetic.recipe import find
from rganet_ros.types import SUCTIONABLE

SCENES = 50  # two frames each: the 100 of docs/synthetic.md
CUP = CUPS['rigid']


@pytest.mark.slow
def test_who_sees_all_shapes_but_no_weight_and_no_pores_errs(monkeypatch):
    render.backend()
    score, seen = label.score, {}

    def recorded(*what):
        seen['all'] = what
        return score(*what)

    monkeypatch.setattr(label, 'score', recorded)
    tally = {name: np.zeros(2) for name in ('weight', 'pores', 'both', 'off', 'both, off')}
    for number in range(SCENES):
        for sample in generate.samples(find('clutter'), 'test', 1, number, [0, 1]):
            *surface, bodies, _ = seen['all']
            instance = surface[2]
            light = bodies._replace(mass=np.full_like(bodies.mass, 1e-6))
            unlike = {
                'weight': light,
                'pores': bodies._replace(porous=np.zeros_like(bodies.porous)),
                'both': light._replace(porous=np.zeros_like(bodies.porous)),
            }
            truth = sample.label == SUCTIONABLE
            answers = {
                name: label.classes(score(*surface, guess, CUP), instance, CUP) == SUCTIONABLE
                for name, guess in unlike.items()
            }
            for name, held in (('off', truth), ('both, off', answers['both'])):
                answers[name] = np.roll(held, 2, axis=1)
            for name, held in answers.items():
                tally[name] += (held & truth).sum(), (held | truth).sum()
    iou = {name: both / either for name, (both, either) in tally.items()}
    expected = {'weight': 0.871, 'pores': 0.843, 'both': 0.746, 'off': 0.910, 'both, off': 0.704}
    assert iou == pytest.approx(expected, abs=0.003)
