"""The peers' own programs, each as its guide has it. Runs in an environment of their own.

    python versus_queues_peers.py enqueue celery REDIS_URL 10000
    python versus_queues_peers.py serve arq REDIS_URL

The first job and the last tell the time of their start in Redis, by Redis's own clock.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import redis

#: A peer's name, and behind a dash what is set besides its defaults.
(PEER, _, CHANGE), URL = sys.argv[2].partition("-"), sys.argv[3]


def noop() -> None:
    return None


def mark(name: str) -> None:
    client = redis.Redis.from_url(URL)
    seconds, micros = client.time()
    client.set(f"versus:{name}", seconds + micros / 1e6)


def celery_app() -> Any:
    from celery import Celery

    app = Celery("peers", broker=URL)
    app.conf.update(task_acks_late=True, task_ignore_result=True, task_default_queue="versus")
    app.conf.update(broker_connection_retry_on_startup=True)
    app.task(name="noop")(noop)
    app.task(name="mark")(mark)
    return app


def with_celery(number: int) -> None:
    app = celery_app()
    app.send_task("mark", ["first"])
    for _ in range(number):
        app.send_task("noop")
    app.send_task("mark", ["last"])


def with_dramatiq(number: int) -> None:
    actors = dramatiq_actors()
    actors["mark"].send("first")
    for _ in range(number):
        actors["noop"].send()
    actors["mark"].send("last")


def dramatiq_actors() -> dict[str, Any]:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    dramatiq.set_broker(RedisBroker(url=URL))
    return {
        "noop": dramatiq.actor(noop, actor_name="noop"),
        "mark": dramatiq.actor(mark, actor_name="mark"),
    }


def with_arq(number: int) -> None:
    from arq import create_pool
    from arq.connections import RedisSettings

    async def enqueue() -> None:
        pool = await create_pool(RedisSettings.from_dsn(URL))
        await pool.enqueue_job("tell", "first")
        for _ in range(number):
            await pool.enqueue_job("noop")
        await pool.enqueue_job("tell", "last")
        await pool.aclose()

    asyncio.run(enqueue())


def with_huey(number: int) -> None:
    tasks = huey_tasks()
    tasks["mark"]("first")
    for _ in range(number):
        tasks["noop"]()
    tasks["mark"]("last")


def huey_tasks() -> dict[str, Any]:
    from huey import RedisHuey

    huey = RedisHuey("versus", url=URL, results=False)
    return {
        "huey": huey,
        "noop": huey.task(name="noop")(noop),
        "mark": huey.task(name="mark")(mark),
    }


def serve_celery(pool: str) -> None:
    celery_app().worker_main(["worker", f"--pool={pool}", "--concurrency=1", "--loglevel=WARNING"])


def serve_dramatiq() -> None:
    import dramatiq

    dramatiq_actors()
    # As its command does with one process; eight threads are its default.
    worker = dramatiq.Worker(dramatiq.get_broker(), worker_threads=int(CHANGE or 8))
    worker.start()
    asyncio.run(asyncio.sleep(3600))


def serve_arq() -> None:
    from arq.connections import RedisSettings
    from arq.worker import Worker, func

    async def nothing(_: Any) -> None:
        noop()

    async def tell(_: Any, name: str) -> None:
        mark(name)

    functions = [func(nothing, name="noop", keep_result=0), func(tell, name="tell", keep_result=0)]
    settings = RedisSettings.from_dsn(URL)
    Worker(functions, redis_settings=settings, max_jobs=int(CHANGE or 10)).run()


def serve_huey() -> None:
    huey_tasks()["huey"].create_consumer(workers=1, worker_type="thread").run()


if __name__ == "__main__":
    if sys.argv[1] == "enqueue":
        {
            "celery": with_celery,
            "dramatiq": with_dramatiq,
            "arq": with_arq,
            "huey": with_huey,
        }[PEER](int(sys.argv[4]))
    else:
        {
            "celery": lambda: serve_celery(CHANGE or "prefork"),
            "dramatiq": serve_dramatiq,
            "arq": serve_arq,
            "huey": serve_huey,
        }[PEER]()
