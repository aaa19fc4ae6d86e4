"""Import and export: existing configuration into layers, and a compiled tree into other formats.

Imports a `.hal`, an OpsMx repository, a `hal backup`, SpinnakerService resources, and a kleat repository. Pure: gets
the files as they were read and returns the files to write with a report.
"""

from __future__ import annotations

from halgit.convert.backup import convert_backup
from halgit.convert.chart_values import ChartValues, read_chart_values
from halgit.convert.export import export_tree
from halgit.convert.exported_tree import Export
from halgit.convert.kleat import convert_flat
from halgit.convert.repository import ImportedRepository, ImportSource, build_repository
from halgit.convert.spinnaker_service import convert_resources
from halgit.convert.tree_source import ConvertedTree, MemorySnapshot

__all__ = [
    "ChartValues",
    "ConvertedTree",
    "Export",
    "ImportSource",
    "ImportedRepository",
    "MemorySnapshot",
    "build_repository",
    "convert_backup",
    "convert_flat",
    "convert_resources",
    "export_tree",
    "read_chart_values",
]
