"""What the command line says of one `jobrunner run` beyond the file. Built by cli, read by wiring and the server."""

from __future__ import annotations

from typing import Literal, NamedTuple


class ServerOptions(NamedTuple):
    """Options of one server; None and empty leave what the file or the default says.

    ``queues`` in the order in which they are served. ``scheduler`` False: this server fires nothing. ``burst``: work
    off what is ready and end. ``log_format`` is ``text`` or ``json``; None chooses by whether stderr is a terminal.
    ``log_level``: the least that is logged; each run is a line at ``info``, one that failed at ``warning``.
    """

    workers: int | None = None
    queues: tuple[str, ...] = ()
    name: str | None = None
    scheduler: bool = True
    burst: bool = False
    log_format: Literal["text", "json"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
