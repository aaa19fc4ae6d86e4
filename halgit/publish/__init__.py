"""Write a resolved tree to a directory atomically, and replace single files atomically.

The only package that writes files and the only one that opens secrets. It starts no process: the caller passes a
function that tells whether git ignores a path.
"""

from halgit.publish.content import has_secrets, serialize
from halgit.publish.filesystem import DISK, Disk
from halgit.publish.manifest import MANIFEST, Manifest, digest, read_digests, read_manifest
from halgit.publish.publisher import Options, Outcome, Way, compare, publish
from halgit.publish.single_files import (
    check_empty,
    write_daemon_config,
    write_file,
    write_folder,
    write_termination_message,
)
from halgit.publish.target import Comparison, find_work_tree

__all__ = [
    "DISK",
    "MANIFEST",
    "Comparison",
    "Disk",
    "Manifest",
    "Options",
    "Outcome",
    "Way",
    "check_empty",
    "compare",
    "digest",
    "find_work_tree",
    "has_secrets",
    "publish",
    "read_digests",
    "read_manifest",
    "serialize",
    "write_daemon_config",
    "write_file",
    "write_folder",
    "write_termination_message",
]
