"""A short run of `make soak`; the counts are small, the code is the same."""

from __future__ import annotations

import subprocess
import sys

import needs


def test_a_short_soak_finds_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/soak.py", "--kills", "3", "--publishes", "10", "--threads", "2",
         "--repositories", "200"],
        cwd=needs.ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("| 0 |\n") == 4
