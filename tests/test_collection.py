import subprocess
import sys


def printed(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_command_looks_for_garbage_less_often_and_not_at_the_end():
    plain, rarely = (
        printed(
            f"""
import atexit, gc
from sluicegate.collection import collect_rarely
{call}
looks = []
gc.callbacks.append(lambda phase, info: looks.append(phase))
kept = [[] for _ in range(50_000)]
gc.callbacks.clear()
atexit._run_exitfuncs()
print(len(looks), gc.get_freeze_count() > 50_000)
"""
        )[0].split()
        for call in ("", "collect_rarely()")
    )
    assert int(rarely[0]) <= int(plain[0]) / 10
    assert (plain[1], rarely[1]) == ("False", "True")


def test_garbage_is_found_all_the_same():
    printed(
        """
import weakref
from sluicegate.collection import collect_rarely
collect_rarely()
class Loop: pass
one = Loop()
one.itself, seen = one, weakref.ref(one)
del one
kept = [[] for _ in range(20_000)]
assert seen() is None
"""
    )
