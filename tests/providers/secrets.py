"""Looking for a key where none may be."""

from __future__ import annotations

import traceback

from pipeline.calls import CallsInMemory


def assert_no_key(key: str, calls: CallsInMemory, *things: object) -> None:
    """Fails when `key` shows in a thing's repr or str, an error's whole chain, or a record."""
    shown = [repr(call) for call in calls.calls.values()]
    for thing in things:
        shown += [repr(thing), str(thing)]
        if isinstance(thing, BaseException):
            shown += traceback.format_exception(thing)
            link: BaseException | None = thing
            while link is not None:
                shown += [repr(link), str(link), repr(link.args)]
                link = link.__cause__ or link.__context__
    assert not [text for text in shown if key in text]
