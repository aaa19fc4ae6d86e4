"""Words for a file that is not part of the rendered tree; the rules that say them are in the subjects' modules."""

from __future__ import annotations

from halgit.pipeline import Skipped
from halgit.validation.rule import Hit
from halgit.validation.view import View


def told(view: View, left: Skipped) -> Hit:
    """A file that Halyard ignores, with the reason, and with the name that was probably meant as the next step."""
    reason, _, near = left.reason.partition("; did you mean ")
    hint = f"Did you mean {near}" if near else ""
    if reason.startswith("config has no"):
        hint = "Rename the folder after a deployment of config."
    name = left.path.rsplit("/", 1)[-1]
    return Hit((), f"Halyard ignores {name}: {reason}.", view.written_in(left.path), hint, 1, 1)
