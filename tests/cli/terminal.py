"""Runs the program on a terminal of its own, a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def on_a_terminal(*arguments: object, columns: int = 0, **environment: str) -> str:
    """What the program writes where stdout and stderr are one terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 0, columns, 0, 0))
    known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "xterm"}
    command = [sys.executable, "-m", "halgit", *map(str, arguments)]
    child = subprocess.Popen(command, env={**known, **environment}, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:
        pass  # Linux says so when the other end is closed
    finally:
        child.wait(60)
        os.close(ours)
    return text.decode()
