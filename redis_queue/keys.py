"""Names of all Redis keys. keys.md beside this file says what each holds and who writes it."""

from __future__ import annotations

#: The list of waiting normal-priority video jobs, whose length operators watch.
VIDEO_LIST = "video_generation_queue"
#: Hashes to the plain list's own slot, so that every script also runs on Redis Cluster.
PREFIX = "{video_generation_queue}:"
PROGRESS_CHANNEL = "video_generation_progress:"

#: A queue name has no colon, so no queue can take the name of one of these.
_OWN = PREFIX + "own:"
LEDGER = _OWN + "ledger"
LEASES = _OWN + "leases"
SCHEDULED = _OWN + "scheduled"
QUEUES = _OWN + "queues"
UNRECORDED = _OWN + "unrecorded"
CANCELS = _OWN + "cancels"
RAW = _OWN + "raw"
EPOCH = _OWN + "epoch"
RECONCILED = _OWN + "reconciled"
RECONCILE_LOCK = _OWN + "reconcile-lock"
#: The event log of all jobs; a job's own holds the same entries under the same ids.
EVENTS = _OWN + "events"
SWEPT = _OWN + "swept"
TURN = _OWN + "turn"
WORKERS = _OWN + "workers"
PAUSED = _OWN + "paused"
#: Never written to: what a worker waits at while all its queues are paused.
NOTHING = _OWN + "nothing"
#: Prefix of the rate limiter's own keys.
RATES = _OWN + "rates"
JOB_PREFIX = PREFIX + "job:"
EVENTS_PREFIX = PREFIX + "events:"

_PRIORITY_QUEUE = {"high": "video-high", "normal": "video", "low": "video-low"}


def list_of(queue: str) -> str:
    """The list that a queue name stands for: `video` is the plain list itself."""
    return VIDEO_LIST if queue == "video" else PREFIX + queue


def queue_of(list_key: str) -> str:
    """The inverse of list_of."""
    return "video" if list_key == VIDEO_LIST else list_key.removeprefix(PREFIX)


def queue_for_priority(priority: str) -> str:
    """The queue of a video job with this priority; an unknown one counts as normal."""
    return _PRIORITY_QUEUE.get(priority, "video")


def job(job_id: str) -> str:
    """The job's hash: its truth in Redis."""
    return JOB_PREFIX + job_id


def events(job_id: str) -> str:
    """The job's replayable event log, a short stream."""
    return EVENTS_PREFIX + job_id


def worker(instance: str) -> str:
    """A worker's self-description, which lapses when its heartbeat stops."""
    return f"{PREFIX}worker:{instance}"


def order(instance: str) -> str:
    """What an operator asks of a worker."""
    return f"{PREFIX}order:{instance}"


def answer(operation_id: str) -> str:
    """Where a script keeps its answer, for a caller whose reply was lost."""
    return f"{PREFIX}answer:{operation_id}"


def slots(name: str) -> str:
    """Who holds one of a provider's concurrent places."""
    return f"{_OWN}slots:{name}"


def hint(provider: str, remote_id: str) -> str:
    """Stands for as long as a provider's word that a call has ended was not heard."""
    return f"{_OWN}hint:{provider}:{remote_id}"


def breaker(provider: str) -> str:
    """Namespace of a provider's circuit breaker."""
    return f"{_OWN}breaker:{provider}"


def breaker_state(provider: str) -> str:
    """Where the breaker's library keeps "closed", "open" or "half-open" in that namespace."""
    return f"{breaker(provider)}:pybreaker:state"


def channel(job_id: str) -> str:
    """The pub/sub channel of a job's progress."""
    return PROGRESS_CHANNEL + job_id
