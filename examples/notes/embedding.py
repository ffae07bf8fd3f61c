"""Texts to vectors: WordLlama, whose weights and tokenizer come in its wheel.

A vector is the mean of its words' vectors, brought to unit length, so that the dot product of
two is their cosine. 256 numbers a note; a hundred notes take some 10 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 256
Vectors = NDArray[np.float32]


def embed(texts: Sequence[str]) -> Vectors:
    """One row a text; a row of zeros where a text has no word in it."""
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    # Lengths are made equal here: the library's own way divides by zero for an empty text.
    rows = np.asarray(_model().embed([_shown(text) for text in texts], norm=False), np.float32)
    blank = np.array([not text.strip() for text in texts])
    rows[blank] = 0.0
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return cast(Vectors, rows / np.where(lengths == 0.0, 1.0, lengths))


def to_bytes(vector: Vectors) -> bytes:
    """As the table keeps it."""
    return vector.astype("<f4").tobytes()


def from_bytes(rows: Sequence[bytes]) -> Vectors:
    """One row for each that the table kept."""
    return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), DIMENSIONS)


def _shown(text: str) -> str:
    return text if text.strip() else "-"


@lru_cache(maxsize=1)
def _model() -> Any:
    # On first use: an idle worker does not hold its 60 MB.
    import wordllama

    # The library looks for its own tokenizer in a folder that it does not ship, and would then
    # download it; told that its cache is its own folder, it finds both files there.
    own = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=own, disable_download=True)
