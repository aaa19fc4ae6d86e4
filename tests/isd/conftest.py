"""A cluster without Secrets, and `halgit isd` run against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import program
import pytest
from servers.kubernetes_api import Cluster, kubernetes

Run = Callable[..., program.Ran]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with kubernetes(tmp_path) as running:
        yield running


@pytest.fixture
def isd(cluster: Cluster) -> Run:
    """The program with a kubeconfig for the cluster."""

    def run(*arguments: object, namespace: str = "isd", **environment: str) -> program.Ran:
        return program.halgit("isd", *arguments, KUBECONFIG=cluster.kubeconfig(namespace), **environment)

    return run
