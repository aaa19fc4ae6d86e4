"""Measure commands: CPU and wall time, medians of several runs after a warm-up, and peak memory.

CPU time is that of the process and of the children it waited for, which a busy machine disturbs less than wall time.
Bytecode is compiled before the first run, as `pip install` and the image do it.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


@dataclass(frozen=True)
class Cost:
    """Medians of the runs: seconds of CPU and wall time, and the highest peak memory in MB."""

    cpu: float
    wall: float
    memory: float
    runs: int


@dataclass(frozen=True)
class Command:
    """A command with the folders to delete before each run, which are not measured.

    `runs` limits the runs of a slow command; one that runs once has no warm-up.
    """

    words: Sequence[object]
    outputs: Sequence[Path] = ()
    environment: Mapping[str, str] | None = None
    accepts: Sequence[int] = (0,)
    prepare: Callable[[], object] | None = None
    runs: int | None = None


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user: bytecode may be written, no option comes from a variable."""
    drop = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED"}
    kept = {name: value for name, value in os.environ.items() if name not in drop and not name.startswith("HALGIT_")}
    return {**kept, **(extra or {})}


def compile_bytecode() -> None:
    """Compile halgit's modules, so that no measured run does it."""
    subprocess.run([PYTHON, "-m", "compileall", "-q", str(ROOT / "halgit")], check=True, env=environment())


def evict(folders: Iterable[Path]) -> None:
    """Drop the files below folders from the page cache, as in a container that has just been started."""
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                descriptor = os.open(file, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)


def run_once(command: Command) -> tuple[float, float, float]:
    """Run a command; return seconds of CPU and wall time and its peak memory in MB. Raises SystemExit if it fails."""
    for output in command.outputs:
        shutil.rmtree(output, ignore_errors=True)
    if command.prepare:
        command.prepare()
    words = [str(word) for word in command.words]
    start = time.perf_counter()
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(command.environment)
    ) as process:
        assert process.stderr
        message = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.accepts:
        raise SystemExit(f"{' '.join(words)} exited with {process.returncode}:\n{message.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def measure_all(commands: Mapping[str, Command], runs: int) -> dict[str, Cost]:
    """Measure commands in turn, so that all of them see the same machine. The first round is the warm-up."""
    samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            wanted = min(runs, command.runs or runs)
            if (number == 0 and wanted > 1) or (number > 0 and len(samples[name]) < wanted):
                sample = run_once(command)
                if number:
                    samples[name].append(sample)
    return {name: _summarize(taken) for name, taken in samples.items()}


def _summarize(taken: Sequence[tuple[float, float, float]]) -> Cost:
    return Cost(
        statistics.median(cpu for cpu, _, _ in taken),
        statistics.median(wall for _, wall, _ in taken),
        max(memory for _, _, memory in taken),
        len(taken),
    )
