"""The model of the halconfig: what a path is, what it is marked with, and walking a document class by class."""

from __future__ import annotations

from halgit.halyard import model
from halgit.halyard.resources import load_table
from halgit.redaction import Secret

KUBERNETES = ("deploymentConfigurations", 0, "providers", "kubernetes")
CANARY = {"deploymentConfigurations": [{"canary": {"serviceIntegrations": [{"name": "google"}, {"name": "datadog"}]}}]}


def test_a_path_has_its_field() -> None:
    found = model.find_field((*KUBERNETES, "accounts", 3, "kubeconfigFile"))
    assert found is not None
    assert (found.key, found.local_file, found.secret_file, found.type.kind) == ("kubeconfigFile", True, True, "string")


def test_an_item_of_a_list_belongs_to_the_lists_field() -> None:
    found = model.find_field((*KUBERNETES, "accounts", 0, "permissions", "READ", 1))
    assert found is not None
    assert found.key == "permissions"


def test_a_path_the_model_does_not_know_has_none() -> None:
    assert model.find_field((*KUBERNETES, "account", 0)) is None
    assert model.find_field((*KUBERNETES, "enabled", "deeper")) is None
    assert model.find_field(()) is None


def test_polymorphic_nodes_are_told_apart_by_their_data() -> None:
    path = ("deploymentConfigurations", 0, "canary", "serviceIntegrations")
    assert model.find_field((*path, 0, "gcsEnabled"), CANARY) is not None
    assert model.find_field((*path, 1, "gcsEnabled"), CANARY) is None


def test_what_halyard_marks_as_secret() -> None:
    security = ("deploymentConfigurations", 0, "security", "authn")
    assert model.is_secret_field((*security, "oauth2", "client", "clientSecret"))
    assert model.is_secret_field((*security, "saml", "keyStore")), "a file that holds a secret"
    assert not model.is_secret_field((*security, "oauth2", "client", "clientId"))
    assert not model.is_secret_field(("deploymentConfigurations", 0, "webhook", "trust", "trustStore")), (
        "a local file only"
    )


def test_the_marks_are_as_many_as_halyard_has() -> None:
    fields = [field for class_ in load_table("halconfig")["classes"].values() for field in class_["fields"].values()]
    counted = {
        mark: sum(mark in field for field in fields) for mark in ("local_file", "secret", "secret_file", "valid")
    }
    assert counted == {"local_file": 49, "secret": 59, "secret_file": 43, "valid": 29}
    assert (len(load_table("halconfig")["classes"]), len(fields), len(load_table("halconfig")["enums"])) == (
        203,
        994,
        19,
    )


def test_walking_gives_every_bound_mapping_parents_first() -> None:
    config = {
        "deploymentConfigurations": [
            {"providers": {"kubernetes": {"accounts": [{"name": "a", "customResources": [{"kubernetesKind": "K"}]}]}}}
        ]
    }
    walked = [(path, class_.name.rsplit(".", 1)[-1]) for path, class_, _ in model.walk_objects(config)]
    account = (*KUBERNETES, "accounts", 0)
    assert walked == [
        ((), "Halconfig"),
        (("deploymentConfigurations", 0), "DeploymentConfiguration"),
        (KUBERNETES[:3], "Providers"),
        (KUBERNETES, "KubernetesProvider"),
        (account, "KubernetesAccount"),
        ((*account, "customResources", 0), "CustomKubernetesResource"),
    ]


def test_walking_can_look_for_some_classes_only() -> None:
    wanted = frozenset({"canary.google.GoogleCanaryServiceIntegration"})
    found = [path for path, _, _ in model.walk_objects(CANARY, wanted)]
    assert found == [("deploymentConfigurations", 0, "canary", "serviceIntegrations", 0)]


def test_walking_goes_through_maps_and_skips_what_does_not_fit() -> None:
    environment = {"sidecars": {"spin-gate": [{"name": "a"}, None, "b"], "spin-echo": None}, "haServices": []}
    config = {"deploymentConfigurations": [{"deploymentEnvironment": environment}, None]}
    names = [class_.name for _, class_, _ in model.walk_objects(config)]
    assert names.count("node.SidecarConfig") == 1


def test_walking_anything_else_gives_nothing() -> None:
    assert list(model.walk_objects(None)) == list(model.walk_objects("text")) == []


def test_accounts_of_a_deployment() -> None:
    deployment = {"providers": {"aws": {"accounts": [{"name": "a"}, None]}, "ecs": None, "google": {"accounts": "x"}}}
    assert list(model.list_accounts(deployment)) == [("aws", ("providers", "aws", "accounts", 0), {"name": "a"})]
    assert list(model.list_accounts(None)) == []


def test_local_files_are_the_values_that_are_there() -> None:
    secret = Secret("/x", "a")
    config = {
        "deploymentConfigurations": [
            {
                "providers": {"kubernetes": {"accounts": [{"kubeconfigFile": "/k"}, {"kubeconfigFile": ""}, {}]}},
                "artifacts": {"templates": [{"templatePath": "t"}]},
                "canary": {"serviceIntegrations": [{"name": "google", "accounts": [{"jsonPath": secret}]}]},
                "webhook": {"trust": {"trustStore": None}},
            }
        ]
    }
    top: tuple[str | int, ...] = ("deploymentConfigurations", 0)
    assert model.list_local_files(config) == [
        ((*KUBERNETES, "accounts", 0, "kubeconfigFile"), "/k"),
        ((*top, "artifacts", "templates", 0, "templatePath"), "t"),
        ((*top, "canary", "serviceIntegrations", 0, "accounts", 0, "jsonPath"), secret),
    ]


def test_where_a_key_can_stand() -> None:
    assert model.find_key_places("groupSearchFilter") == (
        "deploymentConfigurations[].security.authz.groupMembership.ldap",
    )
    assert model.find_key_places("nonsense") == ()
