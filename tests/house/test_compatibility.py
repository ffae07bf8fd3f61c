"""Each test that docs/compatibility.md names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/compatibility.md").read_text()


def test_every_row_names_a_test_that_exists() -> None:
    lines = TEXT.splitlines()
    below = [*lines[1:], ""]
    # A table's first line stands above one of dashes.
    rows = [
        line
        for line, following in zip(lines, below, strict=True)
        if line.startswith("| ") and not following.startswith("|---")
    ]
    assert len(rows) > 100
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+(?:\.py)?)/?(?:::(\w+))?`", row.rpartition("| ")[2])
        assert named, row
        for path, name in named:
            assert (ROOT / path).exists(), path
            if name:
                assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
