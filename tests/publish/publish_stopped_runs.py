"""A program for tests: publishes a scene again and again, each time killed one file operation later.

Usage: publish_stopped_runs.py SCENE WAY FOLDER. Leaves a numbered folder for each run, and prints how many were
killed before one came to its end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from publish_disks import Deadly
from publish_scenes import NEW, SCENES, put


def main(scene: str, way: str, folder: Path) -> int:
    for last in range(1, 1000):
        target = folder / str(last) / ".hal"
        target.parent.mkdir(parents=True)
        SCENES[scene].write_journal(target)
        child = os.fork()
        if not child:
            put(NEW, target, "2" * 40, SCENES[scene].force, Deadly(way, last))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, f"the run that was not killed failed with {status}"
            return last - 1
    raise AssertionError("a run never ends")


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
