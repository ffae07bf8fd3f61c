"""How a reminder reaches its reader: a mail server, or a folder of mails."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from examples.notes.reminding import Reminder
from examples.notes.settings import NotesOptions

_TIMEOUT_S = 20.0


class Notifier(Protocol):
    """Hands a reminder over. Raises OSError, or ValueError for an address that is none; the same
    id may come again."""

    def send(self, reminder: Reminder) -> None:
        """Returns when the other side has taken it."""


class Outbox:
    """A folder with one mail a reminder. The file's name is the reminder's id, so that one that
    comes again replaces itself: exactly one mail each, whatever was killed."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, reminder: Reminder) -> None:
        """See Notifier."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{reminder.id}.eml"
        # Written beside, then renamed: nobody reads half a mail.
        partial = path.with_suffix(".partial")
        partial.write_bytes(mail_of(reminder, self._sender).as_bytes())
        partial.replace(path)


class Smtp:
    """A mail server. One that comes again has the same Message-ID, by which mail systems and
    readers drop doubles; a server that ignores it delivers that one twice."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 25
        self._sender = sender

    def send(self, reminder: Reminder) -> None:
        """See Notifier."""
        with smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S) as server:
            server.send_message(mail_of(reminder, self._sender))


def mail_of(reminder: Reminder, sender: str) -> EmailMessage:
    """The mail; its Message-ID is made of the reminder's id."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, reminder.address
    mail["Subject"] = "A reminder from your notes"
    mail["Message-ID"] = f"<{reminder.id}@{sender.rpartition('@')[2]}>"
    mail.set_content(reminder.message)
    return mail


def notifier_of(options: NotesOptions) -> Notifier:
    """What the settings name."""
    if options.smtp_url:
        return Smtp(options.smtp_url, options.mail_from)
    return Outbox(options.outbox, options.mail_from)
