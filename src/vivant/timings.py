"""The intervals and time limits of a running service, in one frozen value that `build_service` passes down."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """All in seconds. The defaults are what `vivant serve` uses; tests hand in shorter ones.

    Raises ValueError for a time that is not positive and finite, and where one time must be longer than another.
    """

    # The dispatcher
    claim_every: float = 5.0  # between looks for queued tasks when nothing announced one
    supervise_every: float = 0.5  # between checks of running tasks; a task expires at most this late
    report_every: float = 1.0  # between writes of progress, all running tasks in one transaction
    retry_after: float = 0.5  # between tries when the database or the storage fails
    drain_within: float = 120.0  # for running jobs to finish when the service goes down
    stop_in_all_within: float = 180.0  # from the first signal to the end of the process, whatever hangs
    step_within: float = 5.0  # for each further step of going down; what hangs is left behind
    end_within: float = 2.0  # after a second signal; then the process ends whatever hangs

    # Leases of dispatchers
    heartbeat_every: float = 5.0  # between heartbeats of a dispatcher in the database
    lease_lapses_after: float = 30.0  # without a new heartbeat: the dispatcher is taken for dead

    # The wall clock: see clock.SteadyClock
    clock_settles_after: float = 60.0  # without a jump: it may expire tasks and delete files
    clock_followed_after: float = 900.0  # that a jump lasts: the system's clock was set on purpose

    # Files
    store_within: float = 30.0  # for one call of the file store to answer
    store_phase_within: float = 90.0  # for a worker to read its pictures, or to store its clip; then it is killed
    scratch_within: float = 30.0  # for one call on the scratch folder to return
    probe_every: float = 30.0  # between probes of the file store and the scratch folder while they work
    sweep_every: float = 600.0  # between deletions of files that are no longer needed
    sweep_call_within: float = 300.0  # for the store to list all tasks, or to delete the files of one
    orphan_after: float = 3600.0  # age of files without a task before they go: pictures are stored before their task

    # Worker processes
    setup_within: float = 3600.0  # for the engine to load tens of gigabytes, or to reach its server, and make its probe
    worker_heartbeat_every: float = 1.0  # between heartbeats of a worker process
    worker_report_every: float = 0.2  # between reports of progress from a worker; a frame may take a millisecond
    worker_check_every: float = 0.25  # between checks whether a worker process lives
    worker_silent_for: float = 30.0  # without a message from the process: it hangs and is killed
    plan_within: float = 120.0  # for a job's pictures to be read and its clip to be planned; then the job fails
    engine_silent_for: float = 600.0  # without a call of its watch: the engine hangs and its process is killed
    worker_ready_for: float = 10.0  # without a message from the process: it does not count as ready
    stop_within: float = 2.0  # for a job to obey a stop; then its process is killed
    kill_within: float = 5.0  # for a killed process to end; then it is given up and left
    restart_after: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)  # before the n-th restart of a worker that fails

    # The database
    wait_for_lock: float = 10.0  # for the write lock; other processes hold it for milliseconds
    write_within: float = 30.0  # for a write, its wait for others included; longer than `wait_for_lock`
    read_within: float = 10.0  # for a read, its wait for a free connection included
    record_close_within: float = 10.0  # for what is being written when the record closes
    foreign_write_check_every: float = 0.1  # between checks whether another process has written

    # The service
    key_use_every: float = 60.0  # between writes of when API keys were last used
    estimate_cached_for: float = 1.0  # for which an estimate may reuse what it read of history and queue

    # Pictures of callers
    fetch_within: float = 15.0  # for a picture at a URL, redirects included
    resolve_within: float = 10.0  # for a host name of a fetch; a second name server is asked after 5 s
    connect_within: float = 5.0  # for each connection of a fetch, TLS included
    decoder_free_within: float = 45.0  # for a decoder process to become free; longer than `decode_within`
    decode_within: float = 30.0  # for one picture; it may take 15 s of processor time, longer on a busy machine

    # HTTP
    keep_alive_for: float = 75.0  # for the next request on an open connection
    answer_stalls_for: float = 60.0  # for the client to take a piece of an answer, at most 256 KiB
    body_idle_for: float = 20.0  # without a byte of a request's body
    body_grace: float = 10.0  # before a body must have come at the least rate (`body_deadlines.py`)
    body_within: float = 900.0  # for a whole body
    parse_within: float = 30.0  # for parsing a body
    linger_within: float = 60.0  # for the rest of a body that nobody reads, so that its sender sees the answer
    linger_idle_for: float = 2.0  # without a byte of it: the client has stopped sending and may be reading
    head_within: float = 20.0  # for a request's head, from the connection or from its first byte on an open one
    descriptors_looked_at_every: float = 1.0  # between looks whether a file or connection can be opened
    readiness_cached_for: float = 5.0  # for which /readyz repeats a finding: anybody may ask, and a check writes a file
    readiness_within: float = 3.0  # for the database or the storage to answer before it counts as broken

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                if not isinstance(value, tuple) or not value or not all(map(_is_time, value)):
                    raise ValueError(f"{field.name} must be positive and finite numbers in a tuple; it is {value!r}.")
            elif not _is_time(value):
                raise ValueError(f"{field.name} must be a positive and finite number; it is {value!r}.")
        for shorter, longer in (
            ("heartbeat_every", "lease_lapses_after"),
            ("wait_for_lock", "write_within"),
            ("decode_within", "decoder_free_within"),
            ("worker_heartbeat_every", "worker_silent_for"),
            ("drain_within", "stop_in_all_within"),
            ("worker_heartbeat_every", "worker_ready_for"),
            ("worker_heartbeat_every", "engine_silent_for"),
        ):
            if getattr(self, shorter) > getattr(self, longer):
                raise ValueError(f"{longer} must be at least {shorter}.")


def _is_time(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 < value < math.inf


DEFAULT_TIMINGS: Final = Timings()
