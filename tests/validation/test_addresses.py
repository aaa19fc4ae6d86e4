"""Addresses of the halconfig beside the libraries that read them: OkHttp, java.net.URL, the AWS SDK, Clouddriver's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clouddriver import Judge, judge
from findings import find_in_files

ADDRESSES = (
    "https://a.example", "http://a.example:8080/b", "HTTP://A.example", "https://a_b.example", "https://u:p@a.example",
    "https://[::1]:5000", "https:///a.example", "a.example", "a.example:5000/b", "//a.example", "https://", "http://",
    "https://a b", "https://a.example ", "https://a.example/b c", "https://a.example:0", "https://a.example:65536",
    "https://a.example:port", "https://https://a.example", "ftp://a.example", "file:/a", "mailto:a", "::", "a b", "/a",
    "https://a.example:", "http:a", "a:b", "jar:file:/a!/b", "gopher://a", "https://a^b", "https://a|b", "s3://a/b",
)  # fmt: skip
UNUSABLE, REGISTRY = "addresses/unusable", "docker-registry/address"
READERS = {
    "http": (UNUSABLE, {"ci": {"jenkins": {"enabled": True, "masters": [{"name": "a", "address": None}]}}}),
    "url": (UNUSABLE, {"spinnaker": {"extensibility": {"repositories": {"a": {"url": None}}}}}),
    "aws": (UNUSABLE, {"artifacts": {"s3": {"enabled": True, "accounts": [{"name": "a", "apiEndpoint": None}]}}}),
    "docker": (REGISTRY, {"providers": {"dockerRegistry": {"accounts": [{"name": "a", "address": None}]}}}),
}
"""For each library the rule about one field that it reads, and a halconfig with this field."""


NO_HOSTS = frozenset({"ftp", "gopher", "http", "https", "s3", "v2"})
"""Schemes behind another scheme, and the path that a service adds to an address without a host."""
NO_PORTS = (":0", ":65536")


@pytest.fixture(scope="module")
def clouddriver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with judge(tmp_path_factory.mktemp("judge")) as running:
        yield running


def _with(config: Any, address: str) -> Any:
    """A copy of a halconfig with an address where it has None."""
    if isinstance(config, dict):
        return {key: _with(value, address) for key, value in config.items()}
    if isinstance(config, list):
        return [_with(value, address) for value in config]
    return address if config is None else config


@pytest.mark.parametrize("library", READERS)
def test_an_address_is_reported_where_its_library_refuses_it(library: str, clouddriver: Judge, tmp_path: Path) -> None:
    rule, config = READERS[library]
    different = {}
    for address in ADDRESSES:
        host = clouddriver.read_address(address)[library]
        is_usable = host is not None and host not in NO_HOSTS and not address.endswith(NO_PORTS)
        halconfig = {"deploymentConfigurations": [{"name": "default", **_with(config, address)}]}
        found = [one.message for one in find_in_files({"config": json.dumps(halconfig)}, tmp_path) if one.rule == rule]
        if bool(found) == is_usable:
            different[address] = (host, found)
    assert different == {}


def test_an_empty_address_of_a_registry_becomes_that_of_a_host_named_v2(clouddriver: Judge) -> None:
    assert clouddriver.read_address("")["docker"] == "v2"
