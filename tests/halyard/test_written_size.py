"""The estimate of what Halyard writes, beside the file that Halyard writes for an empty deployment."""

from __future__ import annotations

import needs

from halgit import yaml as hyaml
from halgit.halyard.model import ROOT_TYPE, FieldType
from halgit.halyard.written_size import SizeEstimator

WRITTEN = (needs.ROOT / "tests" / "fixtures" / "default-halconfig.yml").read_bytes()
ESTIMATOR = SizeEstimator("/home/spinnaker/.hal")


def test_the_defaults_of_an_empty_deployment_are_estimated_within_2_percent() -> None:
    empty = {"currentDeployment": "default", "deploymentConfigurations": [{"name": "default", "version": ""}]}
    assert abs(ESTIMATOR.measure(ROOT_TYPE, empty) - len(WRITTEN)) < 0.02 * len(WRITTEN)


def test_what_halyard_wrote_is_estimated_within_1_percent() -> None:
    whole = hyaml.read(WRITTEN, "config").data
    assert abs(ESTIMATOR.measure(ROOT_TYPE, whole) - len(WRITTEN)) < 0.01 * len(WRITTEN)


def test_nulls_count_nothing_and_local_files_have_the_length_of_their_staged_path() -> None:
    type_ = FieldType("object", "providers.kubernetes.KubernetesAccount")
    plain = ESTIMATOR.measure(type_, {"name": "a"})
    assert ESTIMATOR.measure(type_, {"name": "a", "context": None}) == plain
    staged = "/home/spinnaker/.hal/default/staging/dependencies/1234567890-k.yml"
    named = ESTIMATOR.measure(type_, {"name": "a", "kubeconfigFile": "files/k.yml"})
    assert named == plain + len(f"  kubeconfigFile: {staged}\n") - 2
    remote = ESTIMATOR.measure(type_, {"name": "a", "kubeconfigFile": "encryptedFile:k8s!n:a!k:b"})
    assert remote == plain + len("kubeconfigFile: encryptedFile:k8s!n:a!k:b\n")


def test_an_item_that_is_remembered_has_the_size_of_an_equal_one() -> None:
    accounts = FieldType("list", of=FieldType("object", "providers.kubernetes.KubernetesAccount"))
    shared = {"name": "shared", "context": "a", "namespaces": ["b"]}
    for others in ([], [{"name": "more"}], [{"name": "other", "context": "c"}]):
        again = [dict(shared), *others]
        assert ESTIMATOR.measure(accounts, [shared, *others]) == SizeEstimator("/home/spinnaker/.hal").measure(
            accounts, again
        )
    deeper = FieldType("map", of=accounts)
    assert ESTIMATOR.measure(deeper, {"x": [shared]}) > ESTIMATOR.measure(accounts, [shared])
