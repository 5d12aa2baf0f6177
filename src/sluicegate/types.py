"""Shapes of the arrays that cross a public boundary, named once.

Tests check every one of them at run time; a user pays nothing for them.
`...` stands for a batch axis that may be absent.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Cell: TypeAlias = Literal["gru", "lstm", "rnn"]
"""The kinds of recurrent cell that every task can be built from."""
