"""A long job: it reports progress, knows its own run, and tidies up when it is stopped."""

from __future__ import annotations

import time

from jobrunner import JobCancelled, current_run


def import_rows(rows: int) -> dict[str, int]:
    run = current_run()
    print(f"run {run.run_id} of {run.job}, attempt {run.attempt} of {run.max_attempts}")
    done = 0
    try:
        for done in range(1, rows + 1):
            time.sleep(0.02)
            run.progress(done, total=rows, message=f"row {done}")
    except JobCancelled:
        print(f"stopped after {done} rows")
        raise
    return {"rows": done, "attempt": run.attempt}
