"""What an attempt needs before it can begin: its definition, parameters, secrets and environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from jobrunner.domain.job import HttpRequest, Job
from jobrunner.domain.run import Claimed
from jobrunner.errors import JobrunnerError, StoreUnavailable
from jobrunner.execution.attempt import AttemptSpec
from jobrunner.jobfile.references import resolve_env, resolve_request
from jobrunner.server.definitions import Definitions
from jobrunner.server.recorder import Recorder, Recorders
from jobrunner.server.settlement import Settlement
from jobrunner.store.runs.finish import Ending


class Prepared(NamedTuple):
    """An attempt that can begin."""

    claimed: Claimed
    job: Job
    spec: AttemptSpec
    recorder: Recorder


class Preparation:
    """Makes claimed runs ready. ``environ``: where references to the environment are looked up."""

    def __init__(
        self,
        *,
        definitions: Definitions,
        recorders: Recorders,
        settlement: Settlement,
        server_name: str,
        environ: Mapping[str, str],
    ) -> None:
        self._definitions = definitions
        self._recorders = recorders
        self._settlement = settlement
        self._server_name = server_name
        self._environ = environ

    def prepare(self, claimed: Claimed) -> Prepared | Ending:
        """The definition in force, parameters, secrets and environment; an ending where one of these cannot be had."""
        job: Job | None = None
        try:
            job = self._definitions.of(claimed)
            spec = self._spec(claimed, job)
        except StoreUnavailable as error:
            return self._settlement.interrupted(claimed, str(error))
        except JobrunnerError as error:
            return self._settlement.failed(claimed, job, str(error))
        recorder = self._recorders.recorder(claimed.id, claimed.attempt, job.max_output)
        return Prepared(claimed, job, spec, recorder)

    def _spec(self, claimed: Claimed, job: Job) -> AttemptSpec:
        secret_params = json.loads(claimed.secret_params) if claimed.secret_params else {}
        folder, environ = job.folder, self._environ
        env, env_secrets = dict[str, str](), tuple[str, ...]()
        if job.env:
            env, env_secrets = resolve_env(job.env, environ=environ, where=f"jobs.{job.name}.env", folder=folder)
        if isinstance(job.kind, HttpRequest):
            where = f"jobs.{job.name}.http"
            request, http_secrets = resolve_request(job.kind, environ=environ, where=where, folder=folder)
            job, env_secrets = job._replace(kind=request), env_secrets + http_secrets
        return AttemptSpec(
            run_id=claimed.id,
            attempt=claimed.attempt,
            max_attempts=claimed.max_attempts,
            job=job,
            params={**json.loads(claimed.params), **secret_params} if claimed.params != "{}" else {},
            trigger=claimed.trigger,
            fire_time=claimed.fire_time,
            server=self._server_name,
            batch_id=claimed.batch_id,
            parent_results=claimed.parent_results,
            env=env,
            secrets=(*env_secrets, *_texts(secret_params.values())) if secret_params else env_secrets,
        )

    def prepare_at_once(self, claimed: Claimed) -> Prepared | None:
        """What is prepared without waiting for anything, None where that cannot be."""
        job = self._definitions.jobfile.jobs.get(claimed.job)
        if job is None or isinstance(job.kind, HttpRequest) or _refers(job):
            return None
        prepared = self.prepare(claimed)
        return prepared if isinstance(prepared, Prepared) else None


def _refers(job: Job) -> bool:
    """Whether its environment has to be read from somewhere, which may take its time."""
    return any("${" in text for text in job.env.values())


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(value if isinstance(value, str) else json.dumps(value) for value in values)
