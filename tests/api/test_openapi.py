"""The API keeps to its own OpenAPI document, whatever is sent: with every right, and with none."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from config import Settings
from tests.api.conftest import OPERATE, bearer
from tests.api.served import Served

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
#: Of each operation, for what fits the document and for what does not.
_EXAMPLES = 10


@pytest.mark.parametrize("token", [OPERATE, None], ids=["operator", "nobody"])
def test_answers_are_those_of_the_document(
    api_settings: Settings, client: object, token: str | None
) -> None:
    with Served(api_settings) as served:
        # An event stream does not end; tests/api/test_events.py reads those.
        document = schemathesis.openapi.from_url(f"{served.url}/openapi.json").exclude(tag="events")
        for found in document.get_all_operations():
            operation = found.ok()  # type: ignore[union-attr]  # what is no Ok fails here
            for mode in GenerationMode:
                try:
                    strategy = operation.as_strategy(mode)
                    _ask(strategy, served.url, bearer(token) if token else {})
                except Unsatisfiable:
                    continue  # what takes no input cannot be given a wrong one
                except Exception as error:
                    error.add_note(f"{operation.label}, {mode.value}")
                    raise


def _ask(strategy: SearchStrategy[Case[Any]], url: str, headers: dict[str, str]) -> None:
    @seed(1)
    @settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(url, headers=headers, checks=_CHECKS)

    holds()


def test_the_main_requests_and_answers_have_examples(http: TestClient) -> None:
    document = http.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def has_example(content: dict[str, Any]) -> bool:
        body = content["application/json"]
        schema = body.get("schema", {})
        refs = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
        named = [schemas.get(ref.get("$ref", "").rpartition("/")[2], ref) for ref in refs]
        fields = [field for known in named for field in known.get("properties", {}).values()]
        given = body.keys() & {"example", "examples"}
        return bool(given) or any("examples" in known for known in [*named, *fields])

    without = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not {"jobs", "system"} & set(operation["tags"]):
                continue
            good = [answer for code, answer in operation["responses"].items() if code < "300"]
            contents = [answer["content"] for answer in good if "content" in answer]
            if "requestBody" in operation:
                contents.append(operation["requestBody"]["content"])
            without += [
                f"{method} {path}"
                for content in contents
                if "application/json" in content
                and not path.endswith("/live")
                and not has_example(content)
            ]
    assert without == []
