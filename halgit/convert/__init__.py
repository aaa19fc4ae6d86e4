"""An existing `.hal`, or a repository of the OpsMx dialect, into layers, declared parameters and canonical references.

Pure: it is handed the files as they were read and gives the files of the new repository, with an account of it.
"""

from __future__ import annotations

from halgit.convert.chart_values import Values, read_values
from halgit.convert.repository import Imported, Source, layered

__all__ = ["Imported", "Source", "Values", "layered", "read_values"]
