"""Which proxy a request takes, from the usual variables as the operator gave them. Reads no environment itself."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def proxies(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """The proxies for this URL by scheme, as requests and botocore take them; empty where it is reached directly."""
    host = urlsplit(url).hostname or ""
    said = {name.lower(): value for name, value in environment.items() if name.lower().endswith("_proxy") and value}
    if _is_direct(host, said.get("no_proxy", "")):
        return {}
    found = {scheme: said.get(f"{scheme}_proxy") or said.get("all_proxy", "") for scheme in ("http", "https")}
    return {scheme: proxy for scheme, proxy in found.items() if proxy}


def _is_direct(host: str, no_proxy: str) -> bool:
    """NO_PROXY as curl reads it: `*`, or a list of hosts and domains, with or without a leading dot."""
    names = [name.strip().lower().lstrip(".").partition(":")[0] for name in no_proxy.split(",") if name.strip()]
    return any(name == "*" or host == name or host.endswith("." + name) for name in names)
