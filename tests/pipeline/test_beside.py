"""A child that runs beside others: looked after meanwhile, waited for, never left over."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from errors import ChildFailed, ControlFlow, JobCancelled
from pipeline.calls import CallsInMemory
from pipeline.context import RunContext
from pipeline.ports import Tools
from pipeline.standalone import NoInterrupts, PublishedProgress

_FOR_EVER = "import signal; signal.pause()"
_SHORT = "pass"


class Asked(NoInterrupts):
    """Raises what was asked for whenever a child is polled."""

    asked: type[ControlFlow] | None = None

    def check(self) -> None:
        if self.asked is not None:
            raise self.asked


def context(
    folder: Path, interrupts: NoInterrupts | None = None, memory_mb: int = 512
) -> RunContext:
    return RunContext(
        job_id="job-1",
        stage="compositing",
        workdir=folder,
        seed=1,
        tools=Tools(folder, "ffmpeg", memory_mb),
        progress=PublishedProgress("job-1", None),
        interrupts=interrupts or NoInterrupts(),
        calls=CallsInMemory(),
    )


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def noting_its_pid(code: str) -> list[str]:
    return python(
        f"import os; open('pid', 'w').write(str(os.getpid())); print('on', flush=True)\n{code}"
    )


def alive(folder: Path) -> bool:
    return Path(f"/proc/{(folder / 'pid').read_text()}").exists()


def test_both_run_at_once_and_leaving_waits(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    # Each waits for what the other does: one after the other would never end.
    outer = "import pathlib, time\npathlib.Path('a').touch()\n"
    outer += "while not pathlib.Path('b').exists(): time.sleep(0.01)\nprint('seen')"
    inner = "import pathlib, time\nwhile not pathlib.Path('a').exists(): time.sleep(0.01)\n"
    inner += "pathlib.Path('b').touch()"
    lines: list[bytes] = []
    with ctx.beside(python(outer), timeout_s=60, on_stdout_line=lines.append):
        ctx.run(python(inner), timeout_s=60)
    assert lines == [b"seen"]


def test_its_failure_is_raised_on_leaving(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    with pytest.raises(ChildFailed, match="exit code 3"):  # noqa: SIM117
        with ctx.beside(python("raise SystemExit(3)"), timeout_s=60):
            ctx.run(python(_SHORT), timeout_s=60)


def test_a_failure_in_the_body_kills_it(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    with pytest.raises(ChildFailed, match="exit code 4"):  # noqa: SIM117
        with ctx.beside(noting_its_pid(_FOR_EVER), timeout_s=600):
            wait_for = "import os, time\nwhile not os.path.exists('pid'): time.sleep(0.01)\n"
            ctx.run(python(wait_for + "raise SystemExit(4)"), timeout_s=60)
    assert not alive(tmp_path)


def test_its_memory_is_watched_while_the_body_runs_a_child(tmp_path: Path) -> None:
    ctx = context(tmp_path, memory_mb=150)
    with pytest.raises(ChildFailed, match="more than 150 MB"):  # noqa: SIM117
        with ctx.beside(python(f"held = bytes(10**6) * 300\n{_FOR_EVER}"), timeout_s=600):
            ctx.run(python(_FOR_EVER), timeout_s=600)


def test_a_cancellation_ends_both(tmp_path: Path) -> None:
    interrupts = Asked()
    ctx = context(tmp_path, interrupts)

    def cancel(_line: bytes) -> None:
        interrupts.asked = JobCancelled

    with pytest.raises(JobCancelled):  # noqa: SIM117
        with ctx.beside(noting_its_pid(_FOR_EVER), timeout_s=600, on_stdout_line=cancel):
            ctx.run(python(_FOR_EVER), timeout_s=600)
    assert not alive(tmp_path)


def test_closing_the_context_kills_what_no_with_has_taken_over(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    begun = ctx.beside(noting_its_pid(_FOR_EVER), timeout_s=600)
    begun.__enter__()  # as when an interruption comes before the body's first line
    ctx.run(
        python("import os, time\nwhile not os.path.exists('pid'): time.sleep(0.01)"), timeout_s=60
    )
    ctx.close()
    assert not alive(tmp_path)
