"""The two kinds that workers run: WORKER_BACKGROUND_MODULES=examples.notes.jobs."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from background import BackgroundJob, current_job
from errors import PermanentError
from examples.notes import progress, reminding
from examples.notes.embedding import Vectors, embed
from examples.notes.notes import Note, count_notes, notes_after
from examples.notes.notifiers import notifier_of
from examples.notes.settings import options

log = structlog.get_logger()


class RegenerateEmbeddings(BackgroundJob):
    """Embed all of a user's notes anew, batch by batch.

    A second request while one is unfinished gets the job of the first. A deploy, a crash or a
    retry goes on after the last finished batch.
    """

    kind = "notes.regenerate_embeddings"
    unique_for_s = 3600

    @classmethod
    def perform(cls, user_id: int) -> dict[str, int]:
        """How many notes were embedded, and how many could not be."""
        job = current_job()
        try:
            state = progress.begun(job.id, user_id, count_notes(user_id))
            log.info("embeddings_started", user=user_id, notes=state.total_items)
            while part := notes_after(user_id, state.last_note_id, options().batch_size):
                good, vectors = _embedded(part)
                state = progress.batch_done(state, part, good, vectors)
                # The queue's record follows, for operators; the table above is what counts.
                job.checkpoint(
                    state.last_note_id,
                    processed=state.processed_items,
                    total=state.total_items,
                    failed=state.failed_items,
                )
                log.info(
                    "embeddings_batch_done",
                    processed=state.processed_items,
                    total=state.total_items,
                    failed=state.failed_items,
                    percent=state.progress_percent,
                )
                job.check()
                if options().batch_pause_s:
                    job.sleep(options().batch_pause_s)
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            if isinstance(error, PermanentError) or job.attempt > cls.max_retries:
                progress.ended(job.id, "failed", told)
            else:
                progress.waits_again(job.id, told)
            raise
        progress.ended(job.id, "completed")
        succeeded = state.processed_items - state.failed_items
        log.info("embeddings_completed", succeeded=succeeded, failed=state.failed_items)
        return {"succeeded": succeeded, "failed": state.failed_items}


class CheckAndSendReminders(BackgroundJob):
    """Every 15 minutes: whatever reminder is due goes out."""

    kind = "notes.check_and_send_reminders"
    cron_schedule = "*/15 * * * *"

    @classmethod
    def perform(cls) -> dict[str, int]:
        """How many were sent, and how many could not be this time."""
        job = current_job()
        notifier, sent, failed = notifier_of(options()), 0, 0
        while (reminder := reminding.claim_due(job.id)) is not None:
            job.check()
            try:
                notifier.send(reminder)
            # smtplib's errors are OSErrors; a header that cannot be written is a ValueError.
            except (OSError, ValueError) as error:
                reminding.put_back(reminder, f"{type(error).__name__}: {error}")
                failed += 1
            else:
                reminding.sent(reminder)
                sent += 1
        log.info("reminders_sent", sent=sent, failed=failed)
        return {"sent": sent, "failed": failed}


def _embedded(notes: Sequence[Note]) -> tuple[list[Note], Vectors]:
    """The notes that have words, and their vectors."""
    vectors = embed([note.words for note in notes])
    worded = [bool(vector.any()) for vector in vectors]
    good = [note for note, has_words in zip(notes, worded, strict=True) if has_words]
    return good, vectors[worded]
