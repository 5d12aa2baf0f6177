"""What `import sluicegate` offers is declared, and changes only on purpose."""

import pytest

import sluicegate

PUBLIC = [
    "ActionRecognizer",
    "BundleError",
    "ConfigError",
    "DataError",
    "Forecaster",
    "GRU",
    "LSTM",
    "LanguageModel",
    "LiGRU",
    "MinGRU",
    "MissingExtra",
    "NotFittedError",
    "RNN",
    "Report",
    "SeriesClassifier",
    "SluicegateError",
    "SnapshotError",
    "StreamError",
    "Summarizer",
    "TextClassifier",
    "Tracker",
    "Transcriber",
    "Translator",
    "__version__",
    "accelerate",
    "accelerated",
    "backend_of",
    "gates",
    "load",
    "nn",
    "runtime",
    "streaming",
]


def test_the_public_names():
    assert sorted(sluicegate.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(sluicegate))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there(name):
    assert getattr(sluicegate, name) is not None


def test_the_public_names_of_streams():
    assert {name for name in dir(sluicegate.streaming) if name[0].isupper()} == {
        "KeyedStream",
        "LayerStream",
        "Stream",
        "StreamBatch",
    }


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="Forcaster"):
        sluicegate.Forcaster  # noqa: B018 - to look it up is the test
