"""Import: an existing `.hal` or OpsMx repository into layers, declared parameters and canonical references.

Pure: gets the files as they were read and returns the files of the new repository with a report.
"""

from __future__ import annotations

from halgit.convert.chart_values import ChartValues, read_chart_values
from halgit.convert.repository import ImportedRepository, ImportSource, build_repository

__all__ = ["ChartValues", "ImportSource", "ImportedRepository", "build_repository", "read_chart_values"]
