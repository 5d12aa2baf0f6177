"""`sluicegate stream`: a line in, a line out; and what ends it leaves a state to go on from."""

import io
import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from sluicegate.cli.streaming import answer_lines

COMMAND = [sys.executable, "-m", "sluicegate", "stream"]


def rows_of(count):
    start = datetime(2024, 1, 1)
    return [
        {"time": (start + timedelta(hours=hour)).isoformat(), "price": hour % 3 / 3, "load": 10 + hour % 6 + hour / 100}
        for hour in range(count)
    ]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    knobs = {"context": 12, "season": 6, "segment": 3, "hidden": 4, "steps": 10, "batch": 32}
    table = pl.DataFrame(rows_of(60))
    for name, known in (("plain", []), ("priced", ["price"])):
        task = sluicegate.Forecaster(3, **knobs)
        task.fit(table, time="time", target="load", known=known, progress=False)
        task.save(folder / name)
    waves = [np.sin(np.arange(24)[:, None] * speed + phase) for phase in range(6) for speed in (0.3, 0.9)]
    task = sluicegate.SeriesClassifier(causal=True, folds=2, hidden=4, steps=5)
    task.fit(waves, ["slow", "fast"] * 6, progress=False).save(folder / "waves")
    return folder


def lines_of(rows):
    return "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)


def run(*arguments, rows=()):
    result = CliRunner().invoke(app, ["stream", *map(str, arguments)], input=lines_of(rows))
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_a_line_in_a_line_out(models):
    rows = rows_of(4)
    bad = [
        "\n",
        "{\n",
        "[1]\n",
        "\x00\n",
        {**rows[3], "load": "much"},
        {"load": 1.0},
        rows[2],
        "[" * 100_000 + "\n",
        {},
    ]
    result, said = run(models / "plain", rows=[*rows[:3], *bad, rows[3]])
    assert result.exit_code == 0
    assert [answer.get("line") for answer in said] == [None] * 3 + list(range(4, 13)) + [None]
    assert all(set(answer) == {"error", "line"} for answer in said[3:-1])
    frame = sluicegate.load(models / "plain").predict(pl.DataFrame(rows))
    expected = [{**row, "time": row["time"].isoformat()} for row in frame.rows(named=True)]
    assert said[-1] == {"forecast": expected}


def test_what_is_known_in_advance_stands_in_the_line(models):
    rows = rows_of(8)
    ahead = [{name: row[name] for name in ("time", "price")} for row in rows]
    _, said = run(models / "priced", rows=[rows[0] | {"future": ahead[1:4]}, rows[1], rows[1] | {"future": ahead[2:5]}])
    frame = sluicegate.load(models / "priced").predict(pl.DataFrame(rows[:2]), future=pl.DataFrame(rows))
    assert [row["mean"] for row in said[2]["forecast"]] == frame["mean"].to_list()
    assert "in advance" in said[1]["error"]


def test_classes(models):
    _, said = run(models / "waves", rows=[{"channel 0": 0.1}, {"channel 0": float("nan")}, {"channel 0": 0.2}])
    assert set(said[0]) == {"label", "probability", "probability_fast", "probability_slow"}
    assert said[1]["line"] == 2
    assert "no finite number" in said[1]["error"]


def test_the_next_start_goes_on(models, tmp_path):
    rows, state = rows_of(9), tmp_path / "state"
    _, whole = run(models / "plain", rows=rows)
    _, first = run(models / "plain", "--state", state, rows=rows[:4])
    _, second = run(models / "plain", "--state", state, rows=rows[4:])
    assert first + second == whole
    result, _ = run(models / "plain", "--warm", rows=[rows_of(61)[60]])
    frame = sluicegate.load(models / "plain").predict(pl.DataFrame(rows_of(61)))
    assert json.loads(result.stdout)["forecast"][0]["mean"] == frame["mean"][0]


@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_state_of_something_else_is_refused_before_anything_is_read(models, tmp_path, content):
    state = tmp_path / "state"
    if content is None:
        run(models / "priced", "--state", state)
    else:
        state.write_bytes(content)
    before = state.read_bytes()
    result, said = run(models / "plain", "--state", state, rows=rows_of(1))
    assert (result.exit_code, said) == (1, [])
    assert str(state) in result.stderr
    assert state.read_bytes() == before


def test_options_and_tasks_that_have_none(models):
    result, _ = run(models / "waves", "--warm")
    assert "--warm" in result.stderr
    result, _ = run(models / "plain", "--state", models)
    assert "is no file" in result.stderr


def test_a_line_that_is_too_long(models, monkeypatch):
    monkeypatch.setattr("sluicegate.cli.streaming._LONGEST", 200)
    rows, out = rows_of(2), []
    lines = lines_of([rows[0], '"' + 1000 * "x" + '"\n', rows[1]]).encode()
    answer_lines(sluicegate.load(models / "plain").open_stream(), io.BytesIO(lines).readline, out.append, None)
    said = [json.loads(line) for line in out]
    assert [set(answer) for answer in said] == [{"forecast"}, {"error", "line"}, {"forecast"}]


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_writes_the_state(models, tmp_path, sent, status):
    rows, state = rows_of(6), tmp_path / "state"
    command = [*COMMAND, str(models / "plain"), "--state", str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        answers = []
        for row in rows[:3]:  # each is answered before the next one is there
            process.stdin.write(lines_of([row]))
            process.stdin.flush()
            answers.append(json.loads(process.stdout.readline()))
        process.send_signal(sent)
        assert process.wait(60) == status
    _, rest = run(models / "plain", "--state", state, rows=rows[3:])
    assert answers + rest == run(models / "plain", rows=rows)[1]


def test_a_reader_that_goes_away(models, tmp_path):
    given = tmp_path / "rows.jsonl"
    given.write_text(lines_of(rows_of(400)))
    with given.open() as lines:
        process = subprocess.Popen(
            [*COMMAND, str(models / "plain")],
            stdin=lines,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
    assert (process.wait(60), said) == (141, b"")
