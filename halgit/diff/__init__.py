"""What differs between two trees, by meaning: accounts, settings by path, files, and the services it reaches.

Pure. Values of secrets are masked here already: a mark made with a key of this run shows that two differ, and nothing
of what they are.
"""

from __future__ import annotations

from halgit.diff.comparing import Side, compare
from halgit.diff.rendered import from_tree

__all__ = ["Side", "compare", "from_tree"]
