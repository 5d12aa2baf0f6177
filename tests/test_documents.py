"""Every snippet of README.md, CONTRIBUTING.md and docs/ runs, so that a reader can trust it.

A document's blocks run from the top in an empty folder. ```python blocks share their names. In ```console blocks
the lines after `$ ` are run, in ```bash blocks all lines; of `make` the target must exist, and what changes the
reader's machine (`git`, `pip`, ...) is left alone. A block that cannot run has `<!-- skip: reason -->` above it. A page
with `<!-- needs: package -->` is left out where that is not installed.
"""

import re
import shlex
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

PYTHON, CONSOLE, SHELL = {"python"}, {"console"}, {"bash", "sh"}
LOOKS_LIKE_THEM = {"py", "pycon", "python3", "shell", "zsh", "shell-session"}  # and would not be run
RUN = {"sluicegate", "python", "cat", "echo", "head", "ls", "printf", "tail", "wc"}
LEFT_ALONE = {"git", "pip", "cd", "source", "torchrun"}
TIMEOUT = 600


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int  # of its first line of text, from 1
    skipped: bool


def blocks_of(text):
    """The fenced blocks of a Markdown text, in order."""
    fence, start, last = None, 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None:
            if opened := re.match(r"\s*(?P<fence>`{3,}|~{3,})\s*(?P<language>[^\s`{]*)[^`]*$", line):
                fence, language, start, lines = opened["fence"], opened["language"].lower(), number, []
                skipped = re.fullmatch(r"\s*<!-- skip: \S.*-->\s*", last) is not None
                assert language not in LOOKS_LIKE_THEM, f"line {number}: say `python`, `console` or `bash`"
            elif line.strip():
                last = line
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            yield Block(language, textwrap.dedent("\n".join(lines)) + "\n", start + 1, skipped)
            fence, last = None, ""
        else:
            lines.append(line)
    assert fence is None, f"line {start}: the block has no end"


def commands_of(block):
    """The commands of a shell block, continued lines joined, each with its line."""
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        start, command = number, lines[number]
        while command.endswith("\\") and number + 1 < len(lines):
            number += 1
            command = command[:-1] + re.sub(r"^> ", "", lines[number])
        number += 1
        if block.language in CONSOLE:
            if not command.startswith("$ "):
                continue
            command = command[2:]
        if command.strip() and not command.lstrip().startswith("#"):
            for part in command.split(" && "):
                yield block.line + start, part.strip()


def run_command(command, folder):
    words = [word for word in shlex.split(command, comments=True) if not re.match(r"\w+=", word)]
    program = words[0] if words else ""
    if program == "make":
        targets = {word for word in words[1:] if not word.startswith("-")}
        known = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert targets <= known, f"the Makefile has no target {min(targets - known)}"
    elif program in LEFT_ALONE or words[:3] in (["python", "-m", "pip"], ["python", "-m", "venv"]):
        return
    else:
        assert program in RUN, f"cannot tell whether {program!r} may run: see the top of {Path(__file__).name}"
        path = Path(sys.executable).parent
        result = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", f'PATH="{path}:$PATH"\n{command}'],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert result.returncode == 0, f"exit {result.returncode}\n{result.stdout[-3000:]}{result.stderr[-3000:]}"


def run_document(path, folder):
    """Run all blocks; what fails says where."""
    names = {"__name__": "__main__"}
    where = path.name
    try:
        for block in blocks_of(path.read_text(encoding="utf-8")):
            if block.skipped:
                continue
            where = f"{path.name}:{block.line}"
            if block.language in PYTHON:
                # The empty lines let a traceback point at the line in the document.
                exec(compile("\n" * (block.line - 1) + block.text, path, "exec"), names)
            elif block.language in CONSOLE | SHELL:
                for line, command in commands_of(block):
                    where = f"{path.name}:{line}: {command}"
                    run_command(command, folder)
    except (Exception, SystemExit) as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error


# PyTorch's exporter to ONNX copies a description of the inputs, of a class that PyTorch itself has marked as old.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.. is deprecated:FutureWarning")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_snippet_runs(path, tmp_path, monkeypatch):
    for package in re.findall(r"^<!-- needs: (\w+) -->$", path.read_text(encoding="utf-8"), re.MULTILINE):
        pytest.importorskip(package, reason=f"the page needs {package}, which is not installed")
    monkeypatch.chdir(tmp_path)
    run_document(path, tmp_path)


# The runner itself, on made-up documents


def document(folder, text):
    path = folder / "page.md"
    path.write_text(textwrap.dedent(text))
    return path


def test_blocks_follow_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = """
    # A page
    ```python title="first"
    from pathlib import Path
    answer = 42
    ```
    1. An item
       ~~~python
       if answer:
           Path("answer.txt").write_text(str(answer))
       ~~~

    ```console
    $ cat answer.txt | wc -c > \\
    >   size.txt
    2
    $ make test && git clone far-away && pip install .
    ```

    ````markdown
    ```python
    not to be run
    ```
    ````

    <!-- skip: it shows what fails -->

    ```python
    1 / 0
    ```

    ```
    plain text
    ```

    ```bash
    # a comment
    SOME=thing python -c "open('done.txt', 'w')"
    ```
    """
    run_document(document(tmp_path, text), tmp_path)
    assert (tmp_path / "size.txt").read_text().strip() == "2"
    assert (tmp_path / "done.txt").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nx = 1\n1 / 0\n```", "page.md:2: ZeroDivisionError"),
        ("```python\nraise SystemExit(0)\n```", "page.md:2: SystemExit"),
        ("```python\nthis is no Python\n```", "page.md:2: SyntaxError"),
        ("\n```bash\n\npython -c 'exit(3)'\n```", "page.md:4: python .*exit 3"),
        ("```console\n$ sluicegate no-such-command\n```", "page.md:2: sluicegate .*exit"),
        ("```bash\npython -c 'exit(1)' | cat\n```", "exit 1"),
        ("```bash\nmake no-such-target\n```", "has no target no-such-target"),
        ("```bash\ncurl https://example.org\n```", "cannot tell whether 'curl' may run"),
        ("```bash\ngit status && python -c 'exit(1)'\n```", "exit 1"),
        ("```python\nx = 1", "line 1: the block has no end"),
        ("```py\nx = 1\n```", "line 1: say `python`"),
        ("<!-- skip: -->\n```python\n1 / 0\n```", "ZeroDivisionError"),
        ("<!-- skip: why -->\nText.\n```python\n1 / 0\n```", "ZeroDivisionError"),
    ],
)
def test_a_broken_block_fails(tmp_path, text, message):
    with pytest.raises(AssertionError, match=re.compile(message, re.DOTALL)):
        run_document(document(tmp_path, text), tmp_path)
