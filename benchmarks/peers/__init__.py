"""The contenders of `benchmarks/layers.py`, each in a process of its own.

`problem.py` says what is computed, `worker.py` is the process, and a file `by_<library>.py` each holds a class `Peer`
that computes the problem as a good user of that library would.
"""
