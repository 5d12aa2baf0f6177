"""What to do with a text file that is not UTF-8, for messages."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

UTF16 = (b"\xff\xfe", b"\xfe\xff")


def as_utf8(path: Path, encoding: str) -> str:
    """The command that rewrites a file as UTF-8, under another name.

    Args:
        path: of the file, gzip'd or not.
        encoding: what it is in.
    """
    packed = path.suffix.lower() == ".gz"
    plain = path.with_suffix("") if packed else path
    old, new = quote(str(path)), quote(str(plain.with_stem(f"{plain.stem}-utf8")))
    convert = f"iconv -f {encoding} -t utf-8"
    return f"`gunzip -c {old} | {convert} > {new}`" if packed else f"`{convert} {old} > {new}`"


def remedy(path: Path, *, others: bool) -> str:
    """What to do where a line is not UTF-8.

    Read as Western European, Cyrillic becomes other letters without an error, and so do letters that are UTF-8 already:
    the command comes with its condition. Windows' encoding is Latin-1 with curly quotes and the euro.

    Args:
        path: of the file.
        others: whether other lines have letters in UTF-8.
    """
    if others:
        return "correct that line, for others are UTF-8"
    return f"save the file as UTF-8, for instance by {as_utf8(path, 'cp1252')} where it is Western European"
