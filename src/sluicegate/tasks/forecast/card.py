"""The model card of a forecaster."""

from __future__ import annotations

from sluicegate.data.names import shown
from sluicegate.tasks.results import Results, card, safe

from .config import ForecasterConfig
from .report import MEASURES, moments
from .trained import Trained


def forecast_card(config: ForecasterConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    columns, shape = trained.columns, trained.shape
    targets = ", ".join(columns.targets)
    step = "" if trained.axis.kind == "integer" else f" of {trained.axis.describe_step()}"
    chosen = {"context": shape.context, "season": trained.season, "segment": shape.segment}
    return card(
        f"Forecast of {targets}",
        f"Forecasts {safe(targets)} for the next {shape.horizon} steps{step}, from the last {shape.context} steps: the "
        f"mean, and the quantiles {', '.join(f'{q:g}' for q in trained.quantiles)}.",
        results,
        data=_data(trained),
        settings=config.model_dump(mode="json") | chosen,
        measures=MEASURES,
        limits=_limits(trained),
        use=_use(trained),
    )


def _data(trained: Trained) -> list[str]:
    columns, axis = trained.columns, trained.axis
    last, seen = (moments(axis, ticks.max(keepdims=True))[0] for ticks in (trained.trained_until, trained.ends))
    lines = [
        f"{len(trained.names):,} series"
        + ("" if columns.series is None else f", told apart by {shown(columns.series)}"),
        f"time column: {columns.time}",
        f"targets: {', '.join(columns.targets)}",
        f"trained on rows up to {last}, validated on those up to {seen}",
    ]
    if columns.known:
        lines.append(f"known in advance: {', '.join(columns.known)}")
    if columns.past:
        lines.append(f"known up to now: {', '.join(columns.past)}")
    return lines


def _limits(trained: Trained) -> list[str]:
    step = trained.axis.describe_step()
    limits = [
        f"It looks back on {trained.shape.context} rows without a gap before each forecast, {step} apart: of a series "
        "that has fewer, the first season is taken to have been the same before.",
        "Series that it was not trained on are forecast by the scale of the rows given: measure it on them first.",
        "It takes the future to be like the rows that it learnt from: after a break, train it again.",
        "Its interval was set on the validation rows, over all series together: for a single series it may be too wide "
        "or too narrow. Measure the coverage on later rows.",
        "Where the verdict names a simple method, use that.",
    ]
    if trained.columns.known:
        limits.append(
            "It needs the columns that are known in advance for the whole horizon, without errors of their own."
        )
    return limits


def _use(trained: Trained) -> str:
    future = ", future=future" if trained.columns.known else ""
    return f"""import sluicegate

model = sluicegate.load("this-folder")
forecast = model.predict(table{future})"""
