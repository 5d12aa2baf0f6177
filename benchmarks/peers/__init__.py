"""The contenders of `benchmarks/layers.py` and `benchmarks/keras.py`, each in a process of its own.

`problem.py` says what is computed, `worker.py` is the process, and a file `by_<library>.py` each holds a class `Peer`
that computes the problem as a good user of that library would.
"""

import sys
from pathlib import Path

# The folder above has a script that is called as a package is: `keras` means the package.
_above = str(Path(__file__).parents[1])
sys.path.sort(key=lambda path: path in ("", _above))
