"""Captions: groups that read well, files that other programs read back."""

from __future__ import annotations

import html
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.captions import group_words, write_srt, write_vtt
from pipeline.providers.script_ports import SpokenScene, Voice


def _scenes(*lines: str, word_s: float = 0.3) -> list[SpokenScene]:
    scenes: list[SpokenScene] = []
    clock_s = 0.3
    for line in lines:
        scene = SpokenScene(start_s=clock_s, end_s=clock_s, words=[])
        for text in line.split():
            scene["words"].append({"text": text, "start_s": clock_s, "end_s": clock_s + word_s})
            clock_s += word_s
        scene["end_s"] = clock_s
        scenes.append(scene)
        clock_s += 0.4
    return scenes


def test_a_cue_spans_neither_two_scenes_nor_two_sentences() -> None:
    cues = group_words(_scenes("Meet Aqua. It is cold.", "Shop now!"))

    assert [cue.text for cue in cues] == ["Meet Aqua.", "It is cold.", "Shop now!"]


def test_lines_break_at_clauses_and_not_after_an_article() -> None:
    cues = group_words(_scenes("Cold for a whole day, and lighter than the old one."))

    assert cues[0].text == "Cold for a whole day,"
    assert not any(cue.text.split()[-1] in ("a", "the", "of") for cue in cues)


_LINE = st.lists(st.text("abcdefghij.,!", min_size=1, max_size=30), min_size=1, max_size=20)


@given(st.lists(_LINE.map(" ".join), min_size=1, max_size=6), st.floats(0.02, 0.8))
def test_cues_keep_every_word_in_order_and_never_overlap(lines: list[str], word_s: float) -> None:
    scenes = _scenes(*lines, word_s=word_s)

    cues = group_words(scenes)

    assert [word.text for cue in cues for word in cue.words] == " ".join(lines).split()
    assert all(cue.start_s == cue.words[0].start_s for cue in cues)
    assert all(cue.end_s >= cue.words[-1].end_s for cue in cues)
    assert all(cue.end_s <= following.start_s for cue, following in pairwise(cues))
    assert all(len(cue.text) <= 22 or len(cue.words) == 1 for cue in cues)


def test_srt_and_vtt_read_back_with_the_same_words_and_times(voice: Voice, tmp_path: Path) -> None:
    cues = group_words(voice.data["scenes"])
    write_srt(cues, tmp_path / "captions.srt")
    write_vtt(cues, tmp_path / "captions.vtt")

    for name in ("captions.srt", "captions.vtt"):
        read = pysubs2.load(str(tmp_path / name))
        words = " ".join(event.plaintext.replace("\n", " ") for event in read).split()
        assert words == [word.text for cue in cues for word in cue.words]
        assert read[0].start == pytest.approx(cues[0].start_s * 1000, abs=1)
        assert read[-1].end == pytest.approx(cues[-1].end_s * 1000, abs=1)
        assert all(event.plaintext.count("\n") <= 1 for event in read)
        assert all(event.end <= later.start for event, later in pairwise(read))


def test_vtt_escapes_what_would_be_markup(tmp_path: Path) -> None:
    write_vtt(group_words(_scenes("Salt & <b>Pepper</b> --> now.")), tmp_path / "c.vtt")

    body = (tmp_path / "c.vtt").read_text(encoding="utf-8").split("\n", 3)[3]
    assert body.strip() == "Salt &amp; &lt;b&gt;Pepper&lt;/b&gt; --&gt; now."
    assert html.unescape(body).strip() == "Salt & <b>Pepper</b> --> now."


def test_no_words_make_no_cues(tmp_path: Path) -> None:
    write_srt(group_words([]), tmp_path / "c.srt")

    assert (tmp_path / "c.srt").read_text() == ""
