"""`python -m sluicegate` is the command line, and runs a program with its layers swapped."""

from sluicegate.cli import main

main()
