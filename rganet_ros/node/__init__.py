"""
The ROS 2 node. This file runs before numpy is imported.

The node's matrix products are of a few hundred rows: more threads in BLAS only wait for each
other, beside those that parameter `threads` allows.
"""

import os

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
