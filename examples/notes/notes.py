"""Notes and their vectors: write, read in order, search by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from examples.notes.embedding import Vectors, embed, from_bytes, to_bytes
from examples.notes.tables import NOTES, VECTORS, engine
from store.engine import insert_of, reading, writing
from store.records import utc_now


@dataclass(frozen=True)
class Note:
    """One note as it is embedded and found."""

    id: int
    title: str
    text: str

    @property
    def words(self) -> str:
        return f"{self.title}\n{self.text}".strip()


@dataclass(frozen=True)
class Hit:
    """A note and how near it is to what was asked: 1.0 the same, about 0 nothing in common."""

    note: Note
    score: float


def add_notes(user_id: int, notes: Sequence[tuple[str, str]]) -> None:
    """Keep notes, each a title and a text; they can be found once they are embedded."""
    now = utc_now()
    rows = [
        {"user_id": user_id, "title": title, "text": text, "created_at": now}
        for title, text in notes
    ]
    with writing(engine()) as connection:
        connection.execute(insert(NOTES), rows)


def count_notes(user_id: int) -> int:
    """How many notes a user has."""
    with reading(engine()) as connection:
        counted = select(func.count()).select_from(NOTES).where(NOTES.c.user_id == user_id)
        return int(connection.execute(counted).scalar_one())


def notes_after(user_id: int, note_id: int, limit: int) -> list[Note]:
    """A user's next notes, oldest first: by key, so that each page costs the same."""
    wanted = (
        select(NOTES.c.id, NOTES.c.title, NOTES.c.text)
        .where((NOTES.c.user_id == user_id) & (NOTES.c.id > note_id))
        .order_by(NOTES.c.id)
        .limit(limit)
    )
    with reading(engine()) as connection:
        return [Note(*row) for row in connection.execute(wanted)]


def put_vectors(
    connection: Connection, user_id: int, notes: Sequence[Note], vectors: Vectors
) -> None:
    """Write vectors within a transaction; a note that has one gets another revision of it."""
    now = utc_now()
    rows = [
        {
            "note_id": note.id,
            "user_id": user_id,
            "vector": to_bytes(vector),
            "revision": 1,
            "embedded_at": now,
        }
        for note, vector in zip(notes, vectors, strict=True)
    ]
    if not rows:
        return
    made = insert_of(engine())(VECTORS).values(rows)
    again = {
        "vector": made.excluded.vector,
        "embedded_at": made.excluded.embedded_at,
        "revision": VECTORS.c.revision + 1,
    }
    connection.execute(made.on_conflict_do_update(index_elements=["note_id"], set_=again))


def search(user_id: int, query: str, limit: int) -> list[Hit]:
    """A user's notes that mean most nearly what was asked, the nearest first."""
    wanted = (
        select(NOTES.c.id, NOTES.c.title, NOTES.c.text, VECTORS.c.vector)
        .join(VECTORS, VECTORS.c.note_id == NOTES.c.id)
        .where(VECTORS.c.user_id == user_id)
    )
    with reading(engine()) as connection:
        rows = connection.execute(wanted).all()
    if not rows:
        return []
    # Thousands of notes are a few MB: one product is faster than any index that finds fewer.
    scores = from_bytes([row.vector for row in rows]) @ embed([query])[0]
    best = sorted(zip(scores.tolist(), rows, strict=True), key=lambda pair: -pair[0])[:limit]
    return [Hit(Note(row.id, row.title, row.text), round(score, 4)) for score, row in best]
