"""Lost servers: noticed by their silence, and their runs given back. Called by every server, about its peers.

A heartbeat is a counter. A peer that shows the same value for ``lost_after`` of this server's own monotonic clock is
dead; one of this host whose process is gone is dead at once. Clocks of other hosts are never compared. While this
server cannot write to the store itself, silence proves nothing (``forget``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from jobrunner.domain.clock import Clock
from jobrunner.domain.job import Job
from jobrunner.domain.retry import gives_up
from jobrunner.domain.state import Outcome, Ready, RunState
from jobrunner.errors import JobrunnerError
from jobrunner.execution import end_left
from jobrunner.jobfile import job_from_definition
from jobrunner.queue.bell import silence
from jobrunner.server.definitions import Definitions
from jobrunner.server.identity import gone, host
from jobrunner.store import servers, traces
from jobrunner.store.database import Database
from jobrunner.store.runs.finish import Ending, finish
from jobrunner.store.runs.read import get
from jobrunner.store.servers import Peer

log = logging.getLogger(__name__)


class Rescuer:
    """Watches the other servers of the store. ``look`` reads, about once a second; ``rescue`` is for the engine."""

    def __init__(self, *, server_id: int, lost_after: timedelta, in_force: Definitions, clock: Clock) -> None:
        self._server_id = server_id
        self._lost_after = lost_after
        self._in_force = in_force
        self._clock = clock
        self._seen = dict[int, tuple[int, float]]()

    def look(self, db: Database) -> list[Peer]:
        """Whoever is dead and not yet declared so."""
        found = servers.peers(db)
        own = {peer.identity for peer in found if peer.id == self._server_id and peer.identity}
        peers = [peer for peer in found if peer.id != self._server_id]
        self._seen = {peer.id: self._seen[peer.id] for peer in peers if peer.id in self._seen}
        # A peer that is this very process is what it was before it started over.
        return [peer for peer in peers if peer.identity in own or self._dead(peer)]

    def clear_up(self, db: Database) -> list[int]:
        """Ends what is left of servers of this host whose processes are gone, and gives those servers. Takes its time.

        Guard and launcher of a killed server do the same by themselves; this is for when they were killed with it.
        """
        dead = [trace for trace in traces.of_host(db, host()) if trace.server_id != self._server_id]
        dead = [trace for trace in dead if gone(trace.identity)]
        for trace in dead:
            ended = end_left(trace.mark, trace.cgroup)
            if ended:
                log.warning("ended %d processes that server %s (pid %d) had left", ended, trace.name, trace.pid)
        return [trace.server_id for trace in dead]

    def forget(self) -> None:
        """From now on the silence of every server counts anew."""
        self._seen.clear()

    def rescue(self, db: Database, peers: Sequence[Peer]) -> list[Ready]:
        """Declares these servers lost and gives their runs back."""
        return [ready for peer in peers for ready in self._rescue(db, peer)]

    def _dead(self, peer: Peer) -> bool:
        if peer.ended or (peer.host == host() and gone(peer.identity)):
            return True
        now = self._clock.monotonic()
        beat, since = self._seen.get(peer.id, (-1, now))
        if beat != peer.heartbeat:
            self._seen[peer.id] = (peer.heartbeat, now)
            return False
        return now - since >= self._lost_after.total_seconds()

    def _rescue(self, db: Database, peer: Peer) -> list[Ready]:
        ready = list[Ready]()
        with db.transaction():
            if not servers.declare_lost(db, peer, self._clock.now()):
                return []
            for run_id, attempt, losses in servers.running_runs(db, peer.id):
                ready += self._give_back(db, peer, run_id, attempt, losses + 1)
        log.warning("server %s (pid %d on %s) is lost; its runs are given back", peer.name, peer.pid, peer.host)
        if peer.wake is not None and peer.host == host():
            silence(peer.wake)
        return ready

    def _give_back(self, db: Database, peer: Peer, run_id: int, attempt: int, losses: int) -> list[Ready]:
        run = get(db, run_id)
        job = self._in_force.jobfile.jobs.get(run.job) or _carried(run.job, run.definition)
        give_up = job is not None and gives_up(job, losses)
        error = f"server {peer.name} died in the middle" + (f", {losses} times" if losses > 1 else "")
        ending = Ending(
            run_id=run_id,
            job=run.job,
            attempt=attempt,
            server_id=peer.id,
            outcome=Outcome.LOST,
            state=RunState.FAILED if give_up else RunState.QUEUED,
            at=self._clock.now(),
            error=error,
            dead=give_up and (job is None or job.dead_letter),
        )
        finished = finish(db, ending)
        return finished.ready if finished is not None else []


def _carried(name: str, definition: str | None) -> Job | None:
    try:
        return job_from_definition(name, definition) if definition is not None else None
    except JobrunnerError:
        return None
