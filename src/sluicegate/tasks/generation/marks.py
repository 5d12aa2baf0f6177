"""The character that stands for a space in sub-words."""

MARK = "\u2581"
"""How a sub-word begins that follows a space, or begins a text."""
