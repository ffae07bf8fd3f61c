"""What the docs list is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from config import Settings, variable_of
from events import Event

ROOT = Path(__file__).resolve().parents[2]


def test_every_log_event_is_documented_and_used() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/events.md").read_text(), re.M))
    assert documented == {event.value for event in Event}
    code = "".join(
        path.read_text()
        for path in [
            ROOT / "worker.py",
            *(ROOT / "runtime").rglob("*.py"),
            *(ROOT / "background").rglob("*.py"),
        ]
    )
    unused = [event.name for event in Event if f"Event.{event.name}" not in code]
    assert unused == []


def test_every_setting_is_in_the_example_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text()
    listed = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.M))
    assert set(listed) == {variable_of(field) for field in Settings.model_fields}
    for field, info in Settings.model_fields.items():
        if isinstance(info.default, bool):
            assert listed[variable_of(field)] == str(info.default).lower(), field
        elif isinstance(info.default, (int, float)):
            assert float(listed[variable_of(field)]) == info.default, field


def test_every_test_that_the_promises_name_is_there() -> None:
    named = re.findall(
        r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs/compatibility.md").read_text()
    )
    assert len(named) > 100
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file()
        or (name and not re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.M))
    ]
    assert missing == []
