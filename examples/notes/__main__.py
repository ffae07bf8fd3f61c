"""`python -m examples.notes`: make the tables, a user, a thousand notes to try with."""

from __future__ import annotations

import sys

import typer

from errors import InvalidInput, QueueUnavailable, StoreUnavailable
from examples.notes.notes import add_notes
from examples.notes.people import add_user as make_user
from examples.notes.people import user_of
from examples.notes.samples import sample_notes
from examples.notes.tables import create_tables

app = typer.Typer(help="The notes example.", no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def init() -> None:
    """Make the tables, in the database of DATABASE_URL."""
    create_tables()
    print("The tables are there.")


@app.command()
def add_user(name: str) -> None:
    """Make a user and print the token; it is shown this once."""
    create_tables()
    print(make_user(name))


@app.command()
def add_samples(token: str, count: int = 1000) -> None:
    """Give a user many notes."""
    user_id = user_of(token)
    if user_id is None:
        raise InvalidInput("token", "belongs to nobody")
    add_notes(user_id, sample_notes(count))
    print(f"{count} notes were added.")


def main() -> None:
    """Run a command; expected errors are one line and an exit code."""
    try:
        app(prog_name="python -m examples.notes")
    except InvalidInput as error:
        sys.exit(f"error: {error}")
    except (QueueUnavailable, StoreUnavailable) as error:
        sys.exit(f"error: {error} does not answer")


if __name__ == "__main__":
    main()
