"""Words for a file that is not part of the rendered tree; the rules that say them are in the subjects' modules."""

from __future__ import annotations

from halgit.tree import LeftOut
from halgit.validation.rule import Hit
from halgit.validation.view import View


def told(view: View, left: LeftOut) -> Hit:
    """A file that Halyard ignores, with the reason, and with the name that was probably meant as the next step."""
    why, _, near = left.why.partition("; did you mean ")
    mend = f"Did you mean {near}" if near else ""
    if why.startswith("config has no"):
        mend = "Rename the folder after a deployment of config."
    name = left.path.rsplit("/", 1)[-1]
    return Hit((), f"Halyard ignores {name}: {why}.", view.written_in(left.path), mend, 1, 1)
