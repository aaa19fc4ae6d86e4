"""A revealed tree into a directory, all or nothing; and single files in one step, for everything else halgit writes.

The only room that writes files, and the only one that opens secrets. It starts no process and asks git nothing:
whether git ignores a path, it is told.
"""

from halgit.publish.content import holds_secrets, serialise
from halgit.publish.filesystem import DISK, Disk
from halgit.publish.manifest import MANIFEST, Manifest, digest, files_of, told
from halgit.publish.publisher import Options, Outcome, Way, compare, publish
from halgit.publish.single_files import check_free, write_daemon_config, write_file, write_folder, write_reason
from halgit.publish.target import Comparison, work_tree

__all__ = [
    "DISK",
    "MANIFEST",
    "Comparison",
    "Disk",
    "Manifest",
    "Options",
    "Outcome",
    "Way",
    "check_free",
    "compare",
    "digest",
    "files_of",
    "holds_secrets",
    "publish",
    "serialise",
    "told",
    "work_tree",
    "write_daemon_config",
    "write_file",
    "write_folder",
    "write_reason",
]
