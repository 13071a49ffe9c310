"""``run``: the server."""

from typing import Annotated, Literal

import typer

from jobrunner.cli.verb import Call, verb


@verb(
    data=False,
    examples="""
    jobrunner run
    jobrunner run --workers 16 --queue critical --queue default
    jobrunner run --burst        # work off what is ready, then end
    """,
)
def run(
    ctx: typer.Context,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, max=1000, help="Attempts at a time (default: as the file says)."),
    ] = None,
    queues: Annotated[
        list[str] | None,
        typer.Option("--queue", metavar="Q", help="Serve this queue; repeat for more, in order (default: all)."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="S", help="The server's name (default: of the host).")
    ] = None,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="Fire no schedules.")] = False,
    burst: Annotated[
        bool, typer.Option("--burst", help="Fire nothing, work off what is ready, then end with 0.")
    ] = False,
    log_format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(
            "--log-format", metavar="text|json", help="The log on standard error (default: text on a terminal)."
        ),
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(
            "--log-level",
            metavar="LEVEL",
            help="The least that is logged: debug, info (each run), warning (what went wrong), error.",
        ),
    ] = "info",
) -> int:
    """The server: schedules the jobs of the file and works off the queues.

    SIGTERM and SIGINT drain: running attempts may end within shutdown_timeout, what does not is interrupted and goes
    back to its queue. A second one does not wait.
    """
    from jobrunner import wiring
    from jobrunner.server.options import ServerOptions

    options = ServerOptions(
        workers=workers,
        queues=tuple(queues or ()),
        name=name,
        scheduler=not (no_scheduler or burst),
        burst=burst,
        log_format=log_format,
        log_level=log_level,
    )
    return wiring.run_server(Call.of(ctx).config, options)
