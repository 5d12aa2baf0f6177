"""Without the client of Redis a sentence says what to install."""

import subprocess
import sys


def test_what_is_missing_is_said():
    code = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "redis" else found(name, *more)
try:
    import sluicegate.redis
except ImportError as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("MissingExtra streaming by keys on Redis needs the package 'redis'")
    assert "pip install 'sluicegate[redis]'" in said
