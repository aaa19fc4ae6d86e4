"""Parameters: which there are and what they are worth (`collect`), and where they stand (`substitute`).

The face of the modules that do it. Pure: environment, options and files come in with the operator's settings.
"""

from __future__ import annotations

from halgit.overlay.collecting import Parameters, collect, unused
from halgit.overlay.substitution import Substituted, substitute

__all__ = ["Parameters", "Substituted", "collect", "substitute", "unused"]
