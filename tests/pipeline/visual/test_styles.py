"""The styles: found by their folders, and each unlike the others."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

import pipeline.styles
from jobs import payload
from pipeline.media.music import compose as compose_music
from pipeline.providers.script_ports import ROLES
from pipeline.styles import load_style

FOLDER = Path(pipeline.styles.__file__).parent


def test_jobs_know_exactly_the_styles_that_have_a_folder() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert set(payload.STYLES) == folders


@pytest.mark.parametrize("name", payload.STYLES)
def test_a_style_is_whole(name: str) -> None:
    style = load_style(name)
    assert style.name == name
    assert set(style.scenes) == set(ROLES)
    assert compose_music(name, 15, 12, 1).parts


@pytest.mark.parametrize(("a", "b"), [*itertools.combinations(payload.STYLES, 2)])
def test_no_two_styles_share_their_looks_or_their_music(a: str, b: str) -> None:
    one, other = load_style(a), load_style(b)
    for part in ("backdrop", "hero", "transition", "caption_look", "pace"):
        assert getattr(one, part) != getattr(other, part), part
    assert one.display.font.family != other.display.font.family
    assert not set(one.palettes) & set(other.palettes)
    assert all(one.scenes[role] is not other.scenes[role] for role in ROLES)
    beds = [compose_music(name, 15, 12, 1) for name in (a, b)]
    assert beds[0].parts != beds[1].parts


def test_a_folder_dropped_in_is_a_style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "retro"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from dataclasses import replace\n"
        "from pipeline.styles.bold import STYLE as BOLD\n"
        "STYLE = replace(BOLD, name='retro')\n"
    )
    monkeypatch.setattr(pipeline.styles, "__path__", [*pipeline.styles.__path__, str(tmp_path)])
    monkeypatch.setattr(pipeline.styles, "STYLES", (*payload.STYLES, "retro"))
    try:
        assert load_style("retro").name == "retro"
    finally:
        sys.modules.pop("pipeline.styles.retro", None)


def test_a_style_that_jobs_do_not_know_is_not_imported() -> None:
    with pytest.raises(KeyError):
        load_style("os")
