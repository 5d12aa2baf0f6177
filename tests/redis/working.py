"""A worker in a process of its own, until somebody ends it: `working.py PORT MODEL NAME`."""

import sys

from redis import Redis

from sluicegate import runtime
from sluicegate.redis import Queue, Worker

if __name__ == "__main__":
    port, model, name = sys.argv[1:]
    stream = runtime.load(model).open_stream()
    Worker(Queue(Redis("127.0.0.1", int(port)), "rows", partitions=4), stream, name=name, batch=20, lease=0.5).run()
