"""Recipes to checkpoints to model files: train, evaluate, export."""

import os

# OpenMP reads this when torch loads it. Threads that spin while they wait make a step many times
# slower as soon as anything else runs on the machine.
os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
