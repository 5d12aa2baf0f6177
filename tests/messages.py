"""A plugin of pytest that notes down what is raised on purpose: `pytest -p messages --messages FILE`."""

import json
import re
from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--messages", type=Path, help="The file to write messages to, by the test.")


class _Messages:
    def __init__(self):
        self.found, self.test = {}, ""

    def pytest_runtest_logstart(self, nodeid):
        self.test = nodeid

    def add(self, error):
        words = re.sub(r"/tmp/[^ ':]*/", "", str(error))
        said = self.found.setdefault(self.test, [])
        if words not in said:
            said.append(words)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config._messages = _Messages()
    config.pluginmanager.register(config._messages)


def pytest_collection_finish(session):
    from sluicegate.errors import SluicegateError  # after the types are checked that the package is written with

    plain, messages = SluicegateError.__init__, session.config._messages

    def noted(self, *arguments):
        plain(self, *arguments)
        messages.add(self)

    SluicegateError.__init__ = noted


def pytest_sessionfinish(session):
    found = dict(sorted(session.config._messages.found.items()))
    session.config.getoption("--messages").write_text(json.dumps(found))
