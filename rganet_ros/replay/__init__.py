"""The pipeline over bags and folders. This file runs before numpy is imported."""

import os

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # as in the node, which this stands in for
