"""The settings of the summarizer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluicegate.tasks.arguments import DATA, Argument, Group
from sluicegate.tasks.config import Positive
from sluicegate.tasks.generation.config import WriterConfig

ARGUMENTS = (
    DATA,
    Argument("text", "the column of texts", usual="text", as_written=True),
    Argument("summary", "the column of their summaries", usual="summary", as_written=True),
    Argument("groups", "the column of what must validate together", called="group", as_written=True, validates=False),
    Argument("validation", "a table to validate on", "data"),
)


class SummarizerConfig(WriterConfig):
    """Settings of a `Summarizer`; each has a default that follows the size of the training part or suits most."""

    longest: Annotated[
        Positive,
        Field(description="sub-words of a text that are read, from its beginning; what follows is left out"),
        Group.MODEL,
    ] = 300
