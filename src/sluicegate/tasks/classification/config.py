"""The settings that classifiers share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluicegate.tasks.arguments import Group
from sluicegate.tasks.config import Real, Share

Smoothing = Annotated[
    Share,
    Field(description="the share of a label that is spread over all classes (Szegedy et al. 2016)"),
    Group.TRAINING,
]
Robust = Annotated[
    Real,
    Field(
        ge=0,
        le=1,
        description="from 0, cross entropy, to 1, the mean absolute error: the exponent of the generalised cross "
        "entropy, under which wrong labels weigh less (Zhang & Sabuncu 2018)",
    ),
    Group.TRAINING,
]
