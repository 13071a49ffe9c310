"""``doctor`` and ``health``: whether all is well, at length and in a line."""

from typing import TYPE_CHECKING

import typer

from jobrunner.cli import output
from jobrunner.cli.verb import Call, verb
from jobrunner.errors import ConfigError

if TYPE_CHECKING:
    from jobrunner.domain.health import Health


@verb(examples="jobrunner health\njobrunner health --json | jq .oldest_wait\njobrunner health >/dev/null || page-me")
def health(ctx: typer.Context) -> int:
    """Whether jobs run as they should, in one line and within 5 seconds, for monitoring. Ends with 1 if not.

    It is not well when the configuration or the store cannot be used, when no server lives, when a server goes on with
    an older file because the new one is broken, when jobs have schedules and none fires them, and when runs wait that
    no server takes. Dead letters and long queues are counted, and not judged.
    """
    from jobrunner.presentation import findings

    call = Call.of(ctx)
    found = look(call)
    if call.json:
        output.write_json(findings.health_json(found))
    else:
        output.write(findings.health(found))
    return 0 if found.healthy else 1


@verb(examples="jobrunner doctor\njobrunner doctor --json | jq '.checks[] | select(.status == \"fault\")'")
def doctor(ctx: typer.Context) -> int:
    """Look for what is wrong, or is going to be, and say what to do. Ends with 1 when it finds a fault.

    It looks at jobs.toml, the store and its files, the broker, servers, queues and runs, and at this host: run it where
    a server runs, as the server's user. It changes nothing.
    """
    from jobrunner import wiring
    from jobrunner.presentation import findings

    call = Call.of(ctx)
    found = wiring.diagnose(call.config)
    if call.json:
        output.write_json(findings.doctor_json(found))
    else:
        output.write_lines(findings.doctor(found, call.screen()))
    return 1 if findings.bad(found) else 0


def look(call: Call) -> "Health":
    """How it goes; a configuration that cannot be used is a problem, and no error."""
    try:
        with call.admin(warn=False) as admin:
            return admin.health()
    except ConfigError as error:
        from jobrunner.domain.health import Health

        return Health(problems=tuple(map(str, error.problems)))
