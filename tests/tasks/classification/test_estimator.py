"""What scikit-learn's tools ask of a classifier."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import sluicegate
from sluicegate.errors import ConfigError, DataError
from sluicegate.tasks.classify_series import baselines
from sluicegate.tasks.classify_series import trained as trained_module
from sluicegate.tasks.classify_series.estimator import SeriesEstimator
from sluicegate.tasks.classify_text.estimator import TextEstimator

TEXTS = [f"a {word} film no {n}" for n in range(8) for word in ("fine", "lovely", "awful", "dull")]
LABELS = ["good", "good", "bad", "bad"] * 8
WAVES = np.stack([np.sin(np.arange(20) * (0.3, 1.1)[i % 2] + i) for i in range(24)])
QUICK = {"folds": 2, "hidden": 4, "learning_rate": 0.03}


def text_estimator(**knobs):
    return sluicegate.TextClassifier(**{**QUICK, "epochs": 6, "embedding": 4, **knobs}).as_sklearn()


def series_estimator(**knobs):
    return sluicegate.SeriesClassifier(**{**QUICK, "steps": 30, "batch": 8, **knobs}).as_sklearn()


@pytest.fixture(autouse=True)
def _without_minirocket(monkeypatch):
    for module in (baselines, trained_module):
        monkeypatch.setattr(module, "has_minirocket", lambda: False)


@pytest.fixture(scope="module")
def trained():
    return text_estimator().fit(TEXTS, LABELS)


def test_parameters_are_the_knobs():
    estimator = text_estimator()
    assert estimator.get_params()["hidden"] == 4
    assert clone(estimator.set_params(cell="lstm")).cell == "lstm"
    with pytest.raises(ValueError, match="hiden"):
        estimator.set_params(hiden=3)
    with pytest.raises(ConfigError, match="there is no setting `hiden`: a SeriesEstimator has"):
        SeriesEstimator(hiden=3)
    with pytest.raises(ConfigError, match=re.escape("`hidden` (=0)")):
        TextEstimator(hidden=0).fit(TEXTS, LABELS)


def test_labels_and_probabilities(trained):
    assert trained.classes_.tolist() == ["bad", "good"]
    for texts in (TEXTS, np.array(TEXTS), np.array(TEXTS, dtype=object), pd.Series(TEXTS), pl.Series(TEXTS)):
        assert trained.predict(texts).tolist() == LABELS
    assert trained.score(pd.DataFrame({"text": TEXTS}), LABELS) == 1.0
    shares = trained.predict_proba(TEXTS)
    assert shares.shape == (32, 2)
    assert trained.classes_[shares.argmax(1)].tolist() == LABELS
    assert pickle.loads(pickle.dumps(trained)).predict_proba(TEXTS).tolist() == shares.tolist()
    assert trained.task_.report.verdict
    with pytest.raises(DataError, match="put a single text into a list"):
        trained.predict("a fine film")
    with pytest.raises(DataError, match="`X` holds Int64: expected texts"):
        trained.predict([1, 2])
    with pytest.raises(DataError, match="`y` has no label for row 1"):
        text_estimator().fit(TEXTS[:2], ["a", None])


def test_search_and_pipelines():
    upper = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    assert cross_val_score(make_pipeline(upper, text_estimator(epochs=8)), TEXTS, LABELS, cv=2).min() > 0.9
    search = GridSearchCV(series_estimator(steps=2), {"hidden": [3, 4]}, cv=2).fit(WAVES, [0, 1] * 12)
    assert search.best_estimator_.task_.config.hidden in (3, 4)


def test_recordings_of_any_form():
    estimator = series_estimator().fit(WAVES, np.array([7, 3] * 12))
    expected = estimator.predict(WAVES).tolist()
    assert estimator.classes_.tolist() == [3, 7]
    for form in (WAVES[:, :, None], list(WAVES), [wave[:, None] for wave in WAVES], pd.DataFrame(WAVES)):
        assert estimator.predict(form).tolist() == expected
    shorter = np.empty(2, dtype=object)
    shorter[:] = [WAVES[0][:15], WAVES[1][:18]]
    assert len(estimator.predict(shorter)) == 2


CHECKS = (
    "check_no_attributes_set_in_init",
    "check_estimators_dtypes",
    "check_estimators_unfitted",
    "check_complex_data",
    "check_dtype_object",
    "check_estimators_empty_data_messages",
    "check_estimator_sparse_array",
    "check_classifiers_one_label",
    "check_classifiers_regression_target",
    "check_supervised_y_2d",
    "check_requires_y_none",
    "check_n_features_in",
    "check_estimators_pickle",
    "check_fit2d_1sample",
    "check_dict_unchanged",
    "check_parameters_default_constructible",
    "check_set_params",
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_checks_of_scikit_learn(name):
    estimator = series_estimator(steps=1, hidden=2)
    check = getattr(estimator_checks, name)
    check("SeriesEstimator", estimator)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, lambda columns: np.array(list(columns.values())).T])
def test_of_several_columns_the_texts_are_given(trained, frame):
    columns = {"text": TEXTS[:3], "other": ["a", "b", "c"]}
    with pytest.raises(DataError, match=re.escape("`X` is of shape (3, 2): expected one text after the other; give")):
        trained.predict(frame(columns))
    assert trained.predict(frame({"text": TEXTS[:3]})).tolist() == LABELS[:3]
