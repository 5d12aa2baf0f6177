"""Workers on Redis: no row is lost, none is answered twice, and the bits are those of one stream of each key's rows."""

import itertools
import json
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("redis", reason="the extra `redis` is not installed")
from sluicegate.errors import ConfigError, DataError, SnapshotError
from sluicegate.redis import Queue, Worker
from sluicegate.redis.rows import answer_of
from tests.tasks.saved_models import FOLDER

KEYS = [f"sensor {number}" for number in range(12)]


def rows_of(count, seed=0):
    """Rows of the keys in turn."""
    numbers = np.random.default_rng(seed).normal(size=(count, len(KEYS), 2))
    return [
        (key, {"channel 0": a, "channel 1": b})
        for step in numbers.tolist()
        for key, (a, b) in zip(KEYS, step, strict=True)
    ]


def offline(model, rows):
    """What one stream of all rows of each key says."""
    streams, said = {key: model.open_stream() for key in KEYS}, {}
    for key, row in rows:
        said.setdefault(key, []).append(streams[key].push(row))
    return json.loads(json.dumps(said))


def answers_of(queue):
    return [answer for partition in range(queue.partitions) for answer in queue.answers(partition, count=100_000)]


def by_key(answers):
    said = {}
    for answer in answers:
        said.setdefault(answer.key, []).append(answer.answer)
    return said


def test_a_worker_answers_each_row_as_one_stream_does(client, model):
    queue = Queue(client, "rows", partitions=4)
    rows = rows_of(10)
    sent = [queue.send(key, row) for key, row in rows]
    assert queue.waiting() == len(rows)
    worker = Worker(queue, model.open_stream(), batch=7)
    while worker.work():
        pass
    answers = answers_of(queue)
    assert sorted((answer.key, answer.row) for answer in answers) == sorted(
        zip([key for key, _ in rows], sent, strict=True)
    )
    assert by_key(answers) == offline(model, rows)
    assert queue.waiting() == 0
    assert not client.keys("*:lease")
    partition = queue.partition_of(KEYS[0])
    *others, last = queue.answers(partition)
    assert queue.answers(partition, after=last.id) == []
    assert queue.answers(partition, count=3) == others[:3]
    assert queue.drop_answers(partition, before=last.id) == len(others)
    assert queue.answers(partition) == [last]


def working(port, name):
    program = Path(__file__).with_name("working.py")
    return subprocess.Popen(
        [sys.executable, program, str(port), FOLDER / "series-causal", name], stderr=subprocess.PIPE
    )


def until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.0005)


def test_one_of_two_workers_is_killed(port, client, model):
    queue = Queue(client, "rows", partitions=4)
    rows = rows_of(120)
    workers = [working(port, name) for name in ("first", "second")]
    try:
        sent = [queue.send(key, row) for key, row in rows[:700]]
        until(lambda: sum(client.xlen(queue.place(p, "answers")) for p in range(4)) > 200)
        until(lambda: any(of(client, queue, "first")))  # it has rows that it did not answer
        workers[0].kill()
        sent += [queue.send(key, row) for key, row in rows[700:]]
        until(lambda: queue.waiting() == 0)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    assert workers[0].returncode == -signal.SIGKILL
    answers = answers_of(queue)
    assert sorted((answer.key, answer.row) for answer in answers) == sorted(
        zip([key for key, _ in rows], sent, strict=True)
    )
    assert by_key(answers) == offline(model, rows)


def of(client, queue, name):
    """How many rows of each partition a worker was given and has not answered."""
    for partition in range(queue.partitions):
        found = client.xpending(queue.place(partition, "rows"), "sluicegate")["consumers"]
        yield sum(one["pending"] for one in found if one["name"] == name.encode())


def acting(stream, number, act):
    """The stream, which at its n-th push does something else first."""
    push, left = stream.push, itertools.count(1)

    def acted(x):
        if next(left) == number:
            act()
        return push(x)

    stream.push = acted
    return stream


def test_rows_of_a_worker_that_fell_are_done_anew(client, model):
    queue = Queue(client, "rows", partitions=2)
    rows = rows_of(6)
    for key, row in rows:
        queue.send(key, row)

    def fall():
        raise RuntimeError("fallen")

    with pytest.raises(RuntimeError, match="fallen"):
        Worker(queue, acting(model.open_stream(), 30, fall), batch=20).work()
    assert not client.keys("*:lease")
    while Worker(queue, model.open_stream()).work():
        pass
    assert by_key(answers_of(queue)) == offline(model, rows)


def test_a_worker_that_was_only_slow_writes_nothing(client, model):
    queue = Queue(client, "rows", partitions=1)
    rows = rows_of(6)
    for key, row in rows:
        queue.send(key, row)
    other = Worker(queue, model.open_stream(), batch=50)

    def sleep():  # longer than its lease is, in which another takes its rows and some more
        client.delete(queue.place(0, "lease"))
        assert [other.work(), other.work()] == [30, 42]  # what was given out comes first

    assert Worker(queue, acting(model.open_stream(), 10, sleep), batch=30).work() == 0
    assert len(answers_of(queue)) == len(rows)
    assert by_key(answers_of(queue)) == offline(model, rows)


def test_a_partition_is_one_workers_at_a_time(client, model):
    queue = Queue(client, "rows", partitions=1)
    queue.send("a", {"channel 0": 0.0, "channel 1": 0.0})
    client.set(queue.place(0, "lease"), "another's", px=100)
    worker = Worker(queue, model.open_stream())
    assert worker.work() == 0
    time.sleep(0.15)
    assert worker.work() == 1


def test_rows_that_are_refused_are_answered_in_their_place(client, model):
    queue = Queue(client, "rows", partitions=1)
    good = [{"channel 0": 0.5, "channel 1": number} for number in range(3)]
    queue.send("a", good[0])
    queue.send("a", {"channel 0": "much", "channel 1": 0.0})
    queue.send("a", {"channel 0": float("inf"), "channel 1": 0.0})
    queue.send("a", {"other": 0.0})
    queue.send("a", good[1])
    for fields in ({"key": "a", "row": "{"}, {"key": "a", "row": "[1]"}, {"key": "a"}, {"row": "{}"}, {"x": "\udcff"}):
        client.xadd(queue.place(0, "rows"), {k: v.encode("utf-8", "surrogateescape") for k, v in fields.items()})
    queue.send("a", good[2])
    Worker(queue, model.open_stream()).work()
    answers = answers_of(queue)
    stream = model.open_stream()
    assert [a.answer for a in answers if "error" not in a.answer] == [stream.push(row) for row in good]
    errors = [a.answer["error"] for a in answers if "error" in a.answer]
    assert len(errors) == 8
    for error, part in zip(
        errors, ["number", "finite", "no column", "JSON", "list", "no field", "no column", "no field"], strict=True
    ):
        assert part in error


def test_a_state_of_another_model_holds_its_rows_up(client, model):
    queue = Queue(client, "rows", partitions=1)
    queue.send("a", {"channel 0": 0.0, "channel 1": 0.0})
    client.set(queue.place(0, "state:a"), b"something")
    with pytest.raises(SnapshotError, match="the state of the key 'a' cannot be gone on from"):
        Worker(queue, model.open_stream()).work()
    assert queue.waiting() == 1
    client.delete(queue.place(0, "state:a"))
    assert Worker(queue, model.open_stream()).work() == 1


def test_states_are_forgotten_in_time(client, model):
    queue = Queue(client, "rows", partitions=1)
    worker = Worker(queue, model.open_stream(), forget_after=0.05)
    row = {"channel 0": 0.5, "channel 1": 1.0}
    for _ in range(2):
        queue.send("a", row)
        worker.work()
        time.sleep(0.1)
    first, second = answers_of(queue)
    assert first.answer == second.answer
    assert not client.keys("*:state:*")


def test_run_ends_when_it_is_told_to(client, model):
    queue = Queue(client, "rows", partitions=1)
    queue.send("a", {"channel 0": 0.0, "channel 1": 0.0})
    Worker(queue, model.open_stream()).run(lambda: queue.waiting() == 0)
    assert len(answers_of(queue)) == 1


def test_what_is_out_of_range_is_refused(client, port, model):
    from redis import Redis

    queue = Queue(client, "rows", partitions=4)
    with pytest.raises(ConfigError, match=r"`partitions` \(=8\) of the queue 'rows' must be 4"):
        Queue(client, "rows", partitions=8)
    with pytest.raises(ConfigError, match="whole number"):
        Queue(client, "rows", partitions=0)
    for name in ("", "a{b"):
        with pytest.raises(ConfigError, match="braces"):
            Queue(client, name)
    with Redis("127.0.0.1", port, decode_responses=True) as decoding, pytest.raises(ConfigError, match="bytes"):
        Queue(decoding, "rows")
    with pytest.raises(DataError, match="cannot be written as JSON"):
        queue.send("a", {"x": {1, 2}})
    for options in ({"batch": 0}, {"lease": 0}, {"forget_after": -1}):
        with pytest.raises(ConfigError, match=next(iter(options))):
            Worker(queue, model.open_stream(), **options)


def test_a_frame_and_numbers_of_numpys_as_json():
    time, frame = datetime(2024, 1, 1), pl.DataFrame({"time": [datetime(2024, 1, 1)], "mean": [float("nan")]})
    assert json.loads(answer_of(frame)) == {"forecast": [{"time": time.isoformat(), "mean": None}]}
    answer = {"a": np.float32(0.1), "b": np.array([1, 2]), "time": time}
    assert json.loads(answer_of(answer)) == {"a": float(np.float32(0.1)), "b": [1, 2], "time": time.isoformat()}
