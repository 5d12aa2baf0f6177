"""Writes the table of a task's settings where a page asks for it: `<!-- settings of ForecasterConfig -->`."""

import re

from sluicegate import tasks

_ASKED = re.compile(r"^<!-- settings of (\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown, **_):
    """Called by MkDocs with the text of each page."""
    return _ASKED.sub(lambda asked: _table(getattr(tasks, asked[1])), markdown)


def _table(config):
    rows = [
        f"| `{name}` | {'' if field.is_required() else f'`{field.default!r}`'} | {field.description} |"
        for name, field in config.model_fields.items()
    ]
    return "\n".join(["| setting | default | |", "| --- | --- | --- |", *rows])
