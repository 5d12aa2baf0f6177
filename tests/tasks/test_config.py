"""What the settings of all tasks have in common."""

import inspect

import pytest

from sluicegate import tasks
from sluicegate.tasks.config import TaskConfig

CONFIGS = [
    tasks.ForecasterConfig,
    tasks.TextClassifierConfig,
    tasks.SeriesClassifierConfig,
    tasks.LanguageModelConfig,
    tasks.TranslatorConfig,
    tasks.SummarizerConfig,
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_knob_says_what_it_is_for(config):
    assert issubclass(config, TaskConfig)
    said = inspect.getdoc(config)
    for name, field in config.model_fields.items():
        assert field.description, name
        assert not field.description.endswith("."), name
        assert f"\n    {name}: {field.description}.\n" in f"{said}\n", name


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_what_all_tasks_have_is_there(config):
    shared = {"cell", "seed", "hidden", "layers", "dropout", "batch", "learning_rate", "patience"}
    assert shared <= config.model_fields.keys()
    alike = [{name: other.model_fields[name].description for name in ("cell", "seed", "layers")} for other in CONFIGS]
    assert alike[0] == alike[1] == alike[2]
