"""A program under `python -m sluicegate` does what it does under `python`, and a line tells of its layers."""

import json
import os
import pickletools
import re
import signal
import subprocess
import sys
import textwrap
import zipfile
from types import SimpleNamespace

import pytest

from sluicegate.cli.program import is_program

TRAIN = """
import sys
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"rnn": nn.GRU(3, 4, batch_first=True)})
        self.decoder = nn.LSTM(4, 1, dtype=torch.float64)

    def forward(self, x):
        return self.decoder(self.encoder["rnn"](x)[0].double())[0]

torch.manual_seed(0)
net, x = Net(), torch.randn(8, 6, 3)
net(x)
torch.save(net, sys.argv[1])
for _ in range(5):
    loss = net(x).pow(2).mean()
    print(f"{loss.item():.4f}")
    with torch.no_grad():  # by hand, for torch.optim takes seconds to be imported
        for parameter, gradient in zip(net.parameters(), torch.autograd.grad(loss, [*net.parameters()])):
            parameter -= 0.1 * gradient
print(net)
"""
TOLD = "sluicegate: 1 layer swapped (1 GRU); 1 left: decoder (LSTM), float64"

FACTS = """
import __main__, json, os, sys
print(json.dumps({
    "argv": sys.argv, "path": sys.path[0], "name": __name__, "file": __file__, "package": __package__,
    "spec": getattr(__spec__, "name", None), "main": __main__.__dict__ is globals(), "doc": __doc__,
    "loader": type(__loader__).__name__, "builtins": type(__builtins__).__name__, "torch": "torch" in sys.modules,
}))
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place, **programs):
    for name, text in programs.items():
        path = place / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))


def python(*words, **more):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, **more)


def both(*words, **more):
    """What a program does on its own, and under Sluicegate; the closing line is kept apart."""
    plain, ours = python(*words, **more), python("-m", "sluicegate", *words, **more)
    *said, told = ours.stderr.splitlines(keepends=True)
    return plain, SimpleNamespace(
        stdout=ours.stdout, stderr="".join(said), returncode=ours.returncode, told=told.rstrip("\n")
    )


def alike(plain, ours):
    assert ours.stdout == plain.stdout
    assert ours.stderr == plain.stderr
    assert ours.returncode == plain.returncode


def contents(path):
    """What `torch.save` wrote: the tensors to the byte, and every class and attribute that is named."""
    with zipfile.ZipFile(path) as file:
        parts = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    tensors = {name: data for name, data in parts.items() if name.startswith("data/")}
    assert tensors
    steps = [(step.name, argument) for step, argument, _ in pickletools.genops(parts["data.pkl"])]
    return {**tensors, "names": {str(argument) for step, argument in steps if not step.endswith(("GET", "PUT"))}}


# With torch, which takes its seconds


def test_a_program_that_trains(place):
    """It prints the same, saves the same, and a line tells what was swapped and what was left."""
    write(place, train=TRAIN)
    plain = python("train.py", "model.pt")
    saved = contents(place / "model.pt")
    ours = python("-m", "sluicegate", "train.py", "model.pt")
    assert (ours.stdout, ours.returncode) == (plain.stdout, 0)
    assert "GRU(3, 4" in ours.stdout
    assert ours.stderr == f"{TOLD}\n"
    assert contents(place / "model.pt") == saved
    assert not any("sluicegate" in name for name in saved["names"])


def test_a_program_with_recurrent_layers_of_its_own(place):
    text = """
    from torch import nn

    class LightGRU(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.u = nn.Linear(3, 8), nn.Linear(4, 8)

    def main():
        LightGRU()

    main()
    """
    write(place, own=text)
    told = "sluicegate: no GRU, LSTM or RNN layer of PyTorch's ran; recurrent but not PyTorch's own: LightGRU\n"
    assert python("-m", "sluicegate", "own.py").stderr == told


def test_a_module_that_fails_after_it_ran_layers_and_set_threads_before_torch(place):
    text = """
    import importlib.util, os
    assert importlib.util.find_spec("torch") is not None  # to look whether it is there is not to import it
    os.environ["OMP_NUM_THREADS"] = "2"
    import torch
    print(torch.get_num_threads())
    torch.nn.GRUCell(3, 4)(torch.zeros(2, 3))
    raise SystemExit("no data")
    """
    write(place, package__train=text)
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    ours = python("-m", "sluicegate", "-m", "package.train", env=environment | {"OMP_WAIT_POLICY": "active"})
    assert (ours.stdout, ours.returncode) == ("2\n", 1)
    assert ours.stderr == "no data\nsluicegate: 1 layer swapped (1 GRUCell)\n"


def test_processes_that_the_program_forks(place):
    text = """
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Encoded(Dataset):
        def __init__(self):
            self.layer = torch.nn.GRU(3, 4)

        def __len__(self):
            return 4

        def __getitem__(self, number):
            from sluicegate.nn.stack import Stack
            ran, before = [], Stack._run
            Stack._run = lambda self, *arguments: ran.append(1) or before(self, *arguments)
            with torch.no_grad():
                result = self.layer(torch.full((5, 2, 3), float(number)))[0]
            Stack._run = before
            return result, len(ran)

    if __name__ == "__main__":
        torch.manual_seed(0)
        data = Encoded()
        loaded = list(DataLoader(data, num_workers=1, multiprocessing_context="fork"))
        for number, (result, ran) in enumerate(loaded):
            assert ran.item() == 1
            assert torch.allclose(result[0], data[number][0], atol=1e-5)
        print(len(loaded))
    """
    write(place, load=text)
    ours = python("-m", "sluicegate", "load.py")
    assert (ours.stdout, ours.returncode) == ("4\n", 0), ours.stderr
    assert re.fullmatch(r"sluicegate: 1 layer swapped \(1 GRU\)\n", ours.stderr)


# Without


@pytest.mark.parametrize(
    "words", [["facts.py"], ["./facts.py", "a", "--help", "-m"], ["inner/facts.py", "-x"], ["tool", "fit"]]
)
def test_a_script_finds_itself_as_ever(place, words):
    write(place, facts=FACTS, inner__facts=FACTS)
    (place / "tool").write_text(FACTS)
    plain, ours = both(*words)
    alike(plain, ours)
    assert json.loads(ours.stdout)["argv"] == words
    assert not json.loads(ours.stdout)["torch"]
    assert ours.told == "sluicegate: the program did not use torch"


def test_a_linked_script_finds_its_neighbours(place):
    write(place, inner__facts=FACTS)
    (place / "link.py").symlink_to("inner/facts.py")
    alike(*both("link.py"))


@pytest.mark.parametrize("words", [["-m", "facts", "a", "-m"], ["-m", "package.facts", "--x"], ["-m", "package", "y"]])
def test_a_module_finds_itself_as_ever(place, words):
    write(place, facts=FACTS, package__facts=FACTS, package____init__="", package____main__=FACTS)
    alike(*both(*words))


def test_a_script_without_its_folder_on_the_path(place):
    write(place, facts=FACTS)
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    alike(*both("facts.py", env=environment))


@pytest.mark.parametrize(
    "text",
    [
        "import sys; print('x'); sys.exit()",
        "import sys; sys.exit(7)",
        "import sys; sys.exit('a word')",
        "raise SystemExit(None)",
        "1 / 0",
        "def f():\n    raise ValueError('v')\ntry:\n    f()\nexcept ValueError as e:\n    raise KeyError('k') from e",
        "import json\njson.loads('{')",
        "import sys\nsys.excepthook = lambda kind, error, traceback: print(kind, traceback.tb_lineno)\n1 / 0",
        "import atexit, threading, time\natexit.register(print, 'bye')\n"
        "threading.Thread(target=lambda: time.sleep(0.2) or print('late')).start()",
        "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)",
        "import os, sys\nif os.fork() == 0: sys.exit(3)\nprint(os.waitstatus_to_exitcode(os.wait()[1]))",
        "import multiprocessing\ndef f(x): return x + 1\nif __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(f, [1]))",
    ],
)
def test_a_program_ends_as_ever(place, text):
    write(place, program=text)
    plain, ours = both("program.py")
    alike(plain, ours)
    assert ours.told == "sluicegate: the program did not use torch"


def test_a_program_that_cannot_be_read(place):
    write(place, program="print(1")
    alike(python("program.py"), python("-m", "sluicegate", "program.py"))


def test_an_interrupt(place):
    write(place, program="import os, signal\nprint('on', flush=True)\nos.kill(os.getpid(), signal.SIGINT)\n")
    plain, ours = both("program.py")
    alike(plain, ours)
    assert ours.returncode == -signal.SIGINT
    assert ours.told.startswith("sluicegate: ")


@pytest.mark.parametrize("words", [["none.py"], ["-m", "none"], ["-m", "none.inner"], ["-m", "package.none"], ["-m"]])
def test_what_is_not_there(place, words):
    write(place, package____init__="")
    plain, ours = python(*words), python("-m", "sluicegate", *words)
    assert ours.returncode == plain.returncode != 0
    assert ours.stdout == ""
    (line,) = ours.stderr.splitlines()
    assert line.startswith("sluicegate: ")
    assert words[-1] in line


def test_a_package_that_misses_something_says_so(place):
    write(place, package____init__="import none_such")
    ours = python("-m", "sluicegate", "-m", "package.train")
    assert ours.returncode == 1
    assert ours.stderr.endswith("ModuleNotFoundError: No module named 'none_such'\n")


def test_closed_streams(place):
    write(place, program="import sys\nsys.stderr.close()\nprint(1)\n")
    ours = python("-m", "sluicegate", "program.py")
    assert (ours.stdout, ours.returncode) == ("1\n", 0)


# The command line stays


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train.py"], True),
        (["no-such.py", "fit"], True),
        (["-m", "package"], True),
        (["-m"], True),
        (["tool"], True),
        ([], False),
        (["--help"], False),
        (["fit", "forecast", "train.py"], False),
        (["predict", "model", "tool"], False),
        (["info"], False),
        (["folder"], False),
        (["nonsense"], False),
        (["--version", "train.py"], False),
    ],
)
def test_which_words_name_a_program(place, words, expected):
    for name in ("train.py", "tool", "info", "fit"):
        (place / name).touch()
    (place / "folder").mkdir()
    assert is_program(words) is expected


def test_the_command_line_is_there_for_everything_else(place):
    (place / "fit").write_text("print('a program')")
    helped = python("-m", "sluicegate", "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("Usage: sluicegate")
    assert "program.py" in helped.stdout
    assert python("-m", "sluicegate", "fit", "--help").stdout.startswith("Usage: sluicegate fit")
    unknown = python("-m", "sluicegate", "nonsense")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "No such command 'nonsense'" in unknown.stderr
