"""Shared by all tests: the folder of this file is importable, for `needs` and the servers on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
