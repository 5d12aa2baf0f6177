"""`sluicegate serve`: models for thousands of streams at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..failures import failing_plainly, note
from ..options import Debug


def serve(
    models: Annotated[list[Path], typer.Argument(help="The folders of saved models, each served under its own name.")],
    host: Annotated[
        str, typer.Option(help="Where to listen; others than this machine may come in by 0.0.0.0.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    token_file: Annotated[Path | None, typer.Option(help="A file with the token that clients must have.")] = None,
    open_to_all: Annotated[bool, typer.Option("--open-to-all", help="Let other machines in without a token.")] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="A page from elsewhere that may come in, as https://example.org; may be given again."),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="A file for all streams: gone on from if it is there, written at the end.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="Where a client is too slow or too fast: block, drop-oldest or close.")
    ] = "block",
    window: Annotated[int, typer.Option(min=1, help="Answers that each stream keeps, to tell them again.")] = 32,
    slots: Annotated[int, typer.Option(min=1, help="Streams of a model whose state is ready for a step.")] = 10_000,
    streams: Annotated[
        int, typer.Option(min=1, help="Streams of a model in all, the idle ones as snapshots.")
    ] = 100_000,
    idle: Annotated[float, typer.Option(help="Seconds without a row after which a stream becomes a snapshot.")] = 60.0,
    kept: Annotated[float, typer.Option(help="Seconds for which streams wait for a client that went.")] = 3600.0,
    threads: Annotated[int, typer.Option(min=1, help="Threads to compute with.")] = 1,
    debug: Debug = False,
) -> None:
    """Serve models: streams by WebSocket, predictions and steps by HTTP, and a page that shows them live.

    SIGTERM and Ctrl-C end it: rows that were taken are answered, and with `--state` all streams go on at the next
    start. SIGHUP loads the models again.
    """
    with failing_plainly(debug):
        from ..starting import load_task, use_threads

        run, limits, read_token = _server()
        names = _named(models)
        given = limits(policy=policy, window=window, slots=slots, streams=streams, idle=idle, kept=kept)
        token = None if token_file is None else read_token(token_file)
        use_threads(threads)
        tasks = {name: load_task(folder, None) for name, folder in names.items()}
        run(
            tasks,
            host=host,
            port=port,
            token=token,
            open_to_all=open_to_all,
            origins=origin or (),
            state=state,
            limits=given,
            folders=names,
            started=lambda address, _: note(f"serving {', '.join(names)} at {address}"),
        )


def _server() -> tuple[Any, Any, Any]:
    """The server, whose packages are an extra.

    Raises:
        MissingExtra: one of them is not installed.
    """
    try:
        from sluicegate.serve import Limits, read_token, serve
    except ModuleNotFoundError as error:
        from sluicegate.errors import MissingExtra

        raise MissingExtra(error.name or "fastapi", "serve", "`sluicegate serve`") from error
    return serve, Limits, read_token


def _named(models: list[Path]) -> dict[str, Path]:
    """The folders by their own names.

    Raises:
        ConfigError: two have the same.
    """
    from sluicegate.errors import ConfigError

    names: dict[str, Path] = {}
    for folder in models:
        name = folder.resolve().name
        if name in names:
            raise ConfigError(f"the models {names[name]} and {folder} are both called {name!r}: rename a folder")
        names[name] = folder
    return names
