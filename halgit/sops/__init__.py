"""Files that SOPS encrypted, in its YAML and JSON formats: their metadata, their values as references, decryption.

Pure: the data key is an argument. In a layer every encrypted value becomes a reference (`sops://FILE#KEY`), so that
merge, validation and masking work without a key; `secrets/` reads those references, and `remotes/` opens the data key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halgit.lazy import lazy_exports

_MODULES = {
    "decrypt_values": "decryption",
    "replace_values": "layer_file",
    "read_metadata": "metadata",
    "Metadata": "metadata",
    "KeyGroup": "metadata",
    "KmsRecipient": "metadata",
    "combine_shares": "shamir",
}

if TYPE_CHECKING:
    from halgit.sops.decryption import decrypt_values
    from halgit.sops.layer_file import replace_values
    from halgit.sops.metadata import KeyGroup, KmsRecipient, Metadata, read_metadata
    from halgit.sops.shamir import combine_shares
else:
    __getattr__ = lazy_exports(__name__, _MODULES)

__all__ = [
    "KeyGroup",
    "KmsRecipient",
    "Metadata",
    "combine_shares",
    "decrypt_values",
    "read_metadata",
    "replace_values",
]
