"""The two services that the application works against, and what their failures are to a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from errors import PermanentError, ProviderUnavailable

#: Answers that say "not now" though the request was right.
_TRY_AGAIN = (408, 425, 429)


@dataclass(frozen=True)
class Exercise:
    """As the API lists it; there is more to one, which the API keeps."""

    id: str
    name: str


@dataclass(frozen=True)
class Combination:
    """What a recommendation is asked for."""

    muscle_group: str
    equipment: str
    duration_minutes: int


class Service:
    """A JSON service over HTTP. One client of its own, safe to use from several threads.

    Raises ProviderUnavailable where the same request may work later, PermanentError where not.
    """

    def __init__(self, name: str, url: str, timeout_s: float) -> None:
        self.name = name
        # The services are the application's own neighbours: no proxy stands between.
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)

    def ask(self, method: str, path: str, json: Any = None) -> Any:
        """The body of an answer with a status of 2xx."""
        try:
            answer = self._http.request(method, path, json=json)
            if answer.status_code >= 500 or answer.status_code in _TRY_AGAIN:
                raise ProviderUnavailable(f"{self.name}: HTTP {answer.status_code}")
            if not answer.is_success:
                raise PermanentError(f"{self.name}: HTTP {answer.status_code} to {method} {path}")
            return answer.json()
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"{self.name}: {type(error).__name__}") from error
        except ValueError as error:
            raise ProviderUnavailable(f"{self.name}: its answer is not JSON") from error

    def status(self) -> str:
        """The status of `GET /health`, as text; "no answer" where there is none."""
        try:
            return str(self._http.get("/health").status_code)
        except httpx.HTTPError:
            return "no answer"

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


class WorkoutApi(Service):
    """The application's own API."""

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__("workout API", url, timeout_s)

    def exercises(self) -> list[Exercise]:
        """All of them."""
        found = self.ask("GET", "/exercises")
        return [Exercise(str(each["id"]), str(each["name"])) for each in found]

    def refresh(self, exercise: Exercise) -> None:
        """Have the API bring one up to date."""
        self.ask("POST", f"/exercises/{exercise.id}/refresh")


class AiCoach(Service):
    """What recommends workouts, and keeps what it has recommended."""

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__("AI coach", url, timeout_s)

    def recommend(self, wanted: Combination) -> dict[str, Any]:
        """A recommendation; made now, or found where one was made before."""
        found: dict[str, Any] = self.ask("POST", "/recommendations", vars(wanted))
        return found
