"""Write a resolved tree to a directory atomically, and replace single files atomically.

The only package that writes files and the only one that opens secrets. It starts no process: the caller passes a
function that tells whether git ignores a path.
"""

from __future__ import annotations

from halgit.annotations import TYPE_CHECKING
from halgit.lazy import lazy_exports

_MODULES = {
    "has_secrets": "content",
    "serialize": "content",
    "DISK": "filesystem",
    "Disk": "filesystem",
    "RecordedSnapshot": "inputs",
    "find_unchanged": "inputs",
    "has_inputs": "inputs",
    "record_inputs": "inputs",
    "Inputs": "manifest",
    "MANIFEST": "manifest",
    "Manifest": "manifest",
    "digest": "manifest",
    "fits_mark": "manifest",
    "read_marks": "manifest",
    "read_manifest": "manifest",
    "Options": "publisher",
    "Outcome": "publisher",
    "Way": "publisher",
    "compare": "publisher",
    "mark": "publisher",
    "publish": "publisher",
    "check_empty": "single_files",
    "check_file": "single_files",
    "write_files_below": "single_files",
    "write_daemon_config": "single_files",
    "write_file": "single_files",
    "write_folder": "single_files",
    "write_termination_message": "single_files",
    "Comparison": "target",
    "find_work_tree": "target",
}

if TYPE_CHECKING:
    from halgit.publish.content import has_secrets, serialize
    from halgit.publish.filesystem import DISK, Disk
    from halgit.publish.inputs import RecordedSnapshot, find_unchanged, has_inputs, record_inputs
    from halgit.publish.manifest import MANIFEST, Inputs, Manifest, digest, fits_mark, read_manifest, read_marks
    from halgit.publish.publisher import Options, Outcome, Way, compare, mark, publish
    from halgit.publish.single_files import (
        check_empty,
        check_file,
        write_daemon_config,
        write_file,
        write_files_below,
        write_folder,
        write_termination_message,
    )
    from halgit.publish.target import Comparison, find_work_tree
else:
    __getattr__ = lazy_exports(__name__, _MODULES)

__all__ = [
    "DISK",
    "MANIFEST",
    "Comparison",
    "Disk",
    "Inputs",
    "Manifest",
    "Options",
    "Outcome",
    "RecordedSnapshot",
    "Way",
    "check_empty",
    "check_file",
    "compare",
    "digest",
    "find_unchanged",
    "find_work_tree",
    "fits_mark",
    "has_inputs",
    "has_secrets",
    "mark",
    "publish",
    "read_manifest",
    "read_marks",
    "record_inputs",
    "serialize",
    "write_daemon_config",
    "write_file",
    "write_files_below",
    "write_folder",
    "write_termination_message",
]
