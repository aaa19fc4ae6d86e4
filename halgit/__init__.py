"""halgit compiles layers of Spinnaker configuration into the `.hal` tree that Halyard reads.

This module holds the version and nothing else, so that `halgit --version` stays fast.
"""

__version__ = "0.2.0"
