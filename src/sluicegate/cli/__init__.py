"""The command line: parse, call, print."""

from .app import main as main
