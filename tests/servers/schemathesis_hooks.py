"""What schemathesis must know of our answers; it imports this module itself (SCHEMATHESIS_HOOKS)."""

from __future__ import annotations

from typing import Any

import schemathesis
import yaml
from schemathesis.core.media_types import YAML_MEDIA_TYPES


@schemathesis.deserializer(*YAML_MEDIA_TYPES)
def read_documents(context: Any, response: Any) -> list[Any]:
    """A manifest has several documents; schemathesis alone ends at the first such answer, and reports nothing."""
    return list(yaml.safe_load_all(response.content))
