"""Differences between two trees, by meaning: accounts, settings by path, files, and the services they affect.

Pure. Secrets are masked here: a mark, keyed for this run, shows whether two secrets differ and nothing else of them.
"""

from __future__ import annotations

from halgit.diff.comparison import Side, compare, rendered_side
from halgit.diff.environments import Environment, compare_environments

__all__ = ["Environment", "Side", "compare", "compare_environments", "rendered_side"]
