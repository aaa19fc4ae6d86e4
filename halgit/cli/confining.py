"""Keeps what this process knows inside it: no core dump, no library that speaks past the redactor or starts a program
with our whole environment."""

from __future__ import annotations

import logging
import os
import resource
import sys
import warnings

_SET_DUMPABLE = 4
_GITPYTHON = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": os.devnull}
"""Otherwise it runs `git version` when it is imported, with all of our environment."""


def confine() -> None:
    """From now on a crash leaves no image of the memory, and warnings and log lines of libraries are not shown.

    The limit alone does not hold where the kernel pipes core dumps to a program; on Linux the process is therefore
    marked as not to be dumped, which also keeps its memory from other processes of the same user.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    os.environ |= _GITPYTHON
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
