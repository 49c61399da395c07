"""Synthetic clutter: things settled in totes and shelves, pictured, labelled for suction."""

import os

# MuJoCo reads these at its first import. EGL and OSMesa are both software renderers on a machine
# without a GPU; more threads for one picture only take them from the other workers.
os.environ.setdefault('MUJOCO_GL', 'egl')
os.environ.setdefault('LP_NUM_THREADS', '1')
