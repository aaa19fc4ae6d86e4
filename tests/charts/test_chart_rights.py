"""What each account may do, summed up over all roles of a release: RBAC adds rights, whoever binds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from charts_values import CI, EXAMPLES, over

Object = dict[str, Any]
Rights = dict[str, set[str]]
ALL = {**CI, **EXAMPLES}
DEPLOY = {
    "deployments.apps": "create delete deletecollection get list patch update watch",
    "replicasets.apps": "create delete deletecollection get list patch update watch",
    "pods": "create delete deletecollection get list patch update watch",
    "services": "create delete deletecollection get list patch update watch",
    "configmaps": "create delete deletecollection get list patch update watch",
    "secrets": "create delete deletecollection get list patch update watch",
    "jobs.batch": "create delete get list update watch",
    "statefulsets.apps": "get list", "controllerrevisions.apps": "get list",
    "horizontalpodautoscalers.autoscaling": "get list", "ingresses.networking.k8s.io": "get list",
    "namespaces": "get list", "events": "get list", "serviceaccounts": "get list", "pods/log": "get list",
    "services/proxy": "create get", "pods/portforward": "create get",
}  # fmt: skip
"""What deploying Spinnaker takes of Halyard's account; every Secret of the namespace is part of it."""


def rights(objects: list[Object]) -> dict[str, Rights]:
    """Account -> resource, with the names it is limited to -> verbs."""
    roles = {(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]): one["rules"]
             for one in objects if one["kind"] in ("Role", "ClusterRole")}  # fmt: skip
    summed: dict[str, Rights] = {}
    for binding in (one for one in objects if one["kind"] in ("RoleBinding", "ClusterRoleBinding")):
        place = binding["metadata"].get("namespace")
        rules = roles[(binding["roleRef"]["kind"], place, binding["roleRef"]["name"])]
        for subject in binding["subjects"]:
            account = summed.setdefault(subject["name"], {})
            for rule in rules:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        names = f" {' '.join(rule['resourceNames'])}" if "resourceNames" in rule else ""
                        key = f"{resource}{group and '.'}{group}{names}"
                        account.setdefault(key, set()).update(rule["verbs"])
    return summed


def words(found: Rights) -> dict[str, str]:
    return {resource: " ".join(sorted(verbs)) for resource, verbs in found.items()}


def test_the_rights_of_every_account_are_these_and_no_others(render: Callable[..., list[Object]]) -> None:
    found = {account: words(one) for account, one in rights(render("isd", ALL["controller"])).items()}
    created = (
        "isd-controller-ca isd-controller-control isd-controller-service-auth isd-controller-trust "
        "isd-accounts-api isd-database isd-encryption isd-login isd-redis isd-sapor-gate"
    )
    assert found == {
        "isd-halyard": DEPLOY,
        "isd-bootstrap": {f"secrets {created}": "get", "secrets": "create"},
        "isd-renew": {
            "secrets isd-controller-ca isd-controller-control": "get",
            "secrets isd-controller-control": "update",
            "deployments.apps isd-sapor": "patch",
        },
        "isd-controller": {"secrets jenkins": "get"},
    }


@pytest.mark.parametrize("name", sorted(ALL))
def test_only_halyards_account_may_read_secrets_that_are_not_named(
    render: Callable[..., list[Object]], name: str
) -> None:
    for account, found in rights(render("isd", ALL[name])).items():
        unnamed = found.get("secrets", set())
        assert unnamed <= {"create"} or account == "isd-halyard", f"{account}: {unnamed}"


def test_where_a_kubeconfig_deploys_halyard_reads_the_named_secrets_only(render: Callable[..., list[Object]]) -> None:
    values = over(CI["several-sources"], {"halyard": {"rbac": {"deploy": False}}})
    assert words(rights(render("isd", values))["isd-halyard"]) == {"secrets gate-oauth front50-s3": "get"}


@pytest.mark.parametrize("cluster", [False, True])
def test_spinnakers_own_account_is_bound_where_values_say(render: Callable[..., list[Object]], cluster: bool) -> None:
    account = {
        "bind": True,
        "create": True,
        "serviceAccount": "spinnaker",
        "namespaces": ["a", "b"],
        "cluster": cluster,
    }
    objects = render("isd", over(CI["hosts"], {"halyard": {"rbac": {"spinnaker": account}}}))
    found = rights(objects)["spinnaker"]
    assert "create" in found["deployments.apps"]
    bindings = [
        one for one in objects if one["kind"].endswith("RoleBinding") and one["subjects"][0]["name"] == "spinnaker"
    ]
    places = {one["metadata"].get("namespace", "the cluster") for one in bindings}
    assert places == ({"the cluster"} if cluster else {"a", "b"})
    assert "spinnaker" in {one["metadata"]["name"] for one in objects if one["kind"] == "ServiceAccount"}
