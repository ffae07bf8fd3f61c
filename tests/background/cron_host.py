"""One worker's cron on a simulated clock: `python -m tests.background.cron_host ...`.

The time is a key in Redis that the test moves; this host's own clock is wrong by `skew` seconds.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from background.cron import Cron
from database import Database
from redis_queue.connection import connect

NOW, LOOKS = "simulated-now", "simulated-looks"


def main(redis_url: str, database_url: str, skew_s: float) -> None:
    """Look what is due, again and again, until the test takes the time away."""
    client, database = connect(redis_url), Database(database_url)
    cron = Cron(database.schedules, database.jobs, client)
    while (now := client.get(NOW)) is not None:
        cron.round(datetime.fromtimestamp(float(now) + skew_s, UTC))
        client.incr(LOOKS)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
