"""The jobs.toml that ``jobrunner init`` writes: it passes ``check``, runs as it is, and shows the main keys."""

from __future__ import annotations


def starter() -> str:
    """The text of the file."""
    return _TEXT


_TEXT = """\
# Jobs of jobrunner. `jobrunner check` says what is wrong with this file, `jobrunner run` starts the server,
# `jobrunner schema > jobs.schema.json` lets editors complete keys.

[jobrunner]
# timezone = "Europe/Madrid"            # of schedules that name none; default: this host's
store = "sqlite:///jobrunner.db"        # beside this file; or "postgresql://user@host/database"
# broker = "redis://localhost:6379/0"   # default: the store itself
# workers = 8                           # default: twice the cores
# queues = ["critical", "default", "low"]
# include = ["jobs.d/*.toml"]           # more files with jobs

[defaults]                              # any key of a job; a job's own value replaces it
timeout = "1h"

# A command without a shell. It fires every minute; try `jobrunner runs` and `jobrunner logs RUN`.
[jobs.hello]
description = "Says hello"
command = ["echo", "hello from", "{name}"]
schedule = "every 1m"                   # or "0 2 * * *", "@daily", a list, { cron = "...", timezone = "..." }
params.name = { type = "string", default = "jobrunner" }

# A line for the shell, with retries. Nothing fires it: `jobrunner trigger disk --wait`.
[jobs.disk]
description = "How full the disk is"
command = "df -h . | tail -n 1"
queue = "low"
retries = 3
retry_delays = ["10s", "1m", "5m"]

# Parameters reach a shell line as variables, never pasted in: `jobrunner trigger report -p month=2026-10`.
[jobs.report]
description = "A report of one month"
command = 'echo "report of $JOBRUNNER_PARAM_MONTH" && echo "::progress 1/1 done"'
params.month = { type = "string", required = true, description = "like 2026-10" }
timeout = "10m"
tags = ["reports"]

# A Python function: its keyword arguments are the parameters, what it returns is the result. Functions are found
# beside this file, too: `python = "billing.ledger:update"`.
[jobs.version]
description = "Which Python this is"
python = "platform:python_version"

# An HTTP request.
# [jobs.ping]
# http = { url = "https://example.com/health", expect = 200 }
# schedule = "*/5 * * * *"
# env and http texts may hold references: "${TOKEN}", "${file:/run/secrets/token}"
"""
