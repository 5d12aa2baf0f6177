"""The command line: parse, call, print; or run a program of the user's."""

from .program import main as main
