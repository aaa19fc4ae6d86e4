"""What a reference may reach. Decided by operator settings alone; no repository can widen it. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from halgit import references
from halgit.operator_settings import Trust
from halgit.pipeline import Reference

OFF: Final = frozenset({"env", "file"})
"""Engines that reach what is the operator's own; off unless `--allow-engine` names them."""


def distrust(reference: Reference, trust: Trust) -> tuple[str, str, str] | None:
    """Why this reference is not to be read: rule, message and next step; None where it may be."""
    if reference.engine in OFF - trust.engines:
        return (
            "reference/engine",
            f"The engine {reference.engine} is off",
            f"Keep the secret in a secret store, or have the operator allow it with --allow-engine {reference.engine}.",
        )
    namespace = reference.get("namespace")
    if namespace and namespace not in trust.namespaces:
        return (
            "reference/namespace",
            f"References to secrets of the namespace {namespace} are not allowed",
            f"Leave the namespace out for halgit's own, or have the operator give --allow-namespace {namespace}.",
        )
    if trust.references and not any(fnmatchcase(references.canonical(reference), each) for each in trust.references):
        return (
            "reference/not-allowed",
            "No --allow-reference pattern of the operator matches this reference",
            "Use a secret that one matches, or have the operator widen them.",
        )
    return None
