"""`python -m api`: serve the API and the dashboard on `API_HOST`:`API_PORT`."""

from __future__ import annotations

import sys

import uvicorn

from api.app import create_app
from api.security import first_token
from config import settings_or_exit
from runtime.logs import configure_logs


def main() -> None:
    """Serve until interrupted."""
    settings = settings_or_exit()
    configure_logs(settings)
    where = f"http://{settings.api_host}:{settings.api_port}"
    if token := first_token(settings):
        # The fragment stays in the browser: it is in no request and in no log.
        print(f"The dashboard: {where}/#token={token}", file=sys.stderr)  # noqa: T201
    uvicorn.run(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=3,
        # Longer than clients and proxies keep an idle connection (5 to 60 s): whoever closes it
        # first must be the side that sends, or a request meets a connection that is just closed.
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
