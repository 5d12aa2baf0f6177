"""A transcriber trained on a table of tones."""

import pytest

from tests.tasks.transcribe.tones import fitted, make_table


@pytest.fixture(scope="session")
def table():
    return make_table()


@pytest.fixture(scope="session")
def trained(table):
    return fitted(table)
