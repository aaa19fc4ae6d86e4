"""Export of a rendered tree as a SpinnakerService resource or a kleat repository.

Every value that the target cannot express is reported with a hint. Secrets are exported as references only. The result
is checked against a strict schema of its target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from halgit.convert.exported_references import convert_references
from halgit.convert.exported_tree import Export, ExportedTree
from halgit.convert.kleat_export import export_kleat
from halgit.convert.resource_export import export_resource
from halgit.report.summaries import Decision


def export_tree(files: Mapping[str, bytes], deployment: str, hal_home: str, target: str) -> Export:
    """Export the files of a rendered tree. `target` is `spinnakerservice` or `kleat`."""
    decisions: list[Decision] = []
    tree = ExportedTree(convert_references(files, target, decisions), deployment, hal_home)
    writers: dict[str, Callable[[ExportedTree], Export]] = {"spinnakerservice": export_resource, "kleat": export_kleat}
    exported = writers[target](tree)
    others = [path for path in files if path.startswith(".boms/") or _is_of_other_deployment(path, deployment)]
    others += [path for path in _unnamed_files(tree) if path not in others]
    only = "One deployment is exported. Set `deployment` in the root halgit.yaml to export this one."
    decisions += [Decision(f"config: deployment {name}", only) for name in tree.other_deployments()]
    hint = "The target has no place for this file."
    decisions += [*exported.decisions, *(Decision(path, hint) for path in sorted(others))]
    return Export(exported.files, tuple(decisions), exported.violations)


def _is_of_other_deployment(path: str, deployment: str) -> bool:
    parts = path.split("/")
    return len(parts) > 2 and parts[1] in ("profiles", "service-settings") and parts[0] != deployment


def _unnamed_files(tree: ExportedTree) -> list[str]:
    """Return the files that are no halconfig, profile or service-settings, and that no field of config names."""
    named = {name for _, name in tree.local_files()}
    start = (f"{tree.deployment}/profiles/", f"{tree.deployment}/service-settings/")
    return [path for path in tree.files if path != "config" and path not in named and not path.startswith(start)]
