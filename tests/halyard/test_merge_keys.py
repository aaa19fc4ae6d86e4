"""The keyed lists: every one of the halconfig, checked by hand, and those of profiles."""

from __future__ import annotations

from collections.abc import Iterator

import needs
import pytest

from halgit.halyard.merge_keys import _BY_CLASS, _BY_FIELD, _PROFILE_LISTS, NO_KEYS, KeyNode, build_key_tree
from halgit.halyard.model import ROOT_TYPE, FieldType, get_class


def keyed(node: KeyNode, path: str = "") -> Iterator[tuple[str, str]]:
    """All keyed lists of a tree, as `path: key`."""
    if node.key:
        yield path, node.key
    for name, child in node.children.items():
        yield from keyed(child, f"{path}.{name}".lstrip("."))
    if node.any:
        yield from keyed(node.any, f"{path}.*")


def lists_of_mappings(type_: FieldType, path: str = "") -> Iterator[str]:
    """Every list of the halconfig whose items are bound to a class."""
    if type_.kind == "object":
        class_ = get_class(type_.name)
        for name in class_.subtypes.values() or (type_.name,):
            for key, field in get_class(name).fields.items():
                yield from lists_of_mappings(field.type, f"{path}.{key}".lstrip("."))
    elif type_.kind == "map" and type_.of:
        yield from lists_of_mappings(type_.of, f"{path}.*")
    elif type_.of:
        if type_.of.kind == "object":
            yield path
        yield from lists_of_mappings(type_.of, path)


PLAIN_LISTS = {"providers.aws.accounts.lifecycleHooks", "deploymentEnvironment.tolerations.*"}


def test_every_list_of_mappings_of_the_halconfig_is_keyed_or_known_to_be_plain() -> None:
    known = dict(keyed(build_key_tree("config")))
    for path in set(lists_of_mappings(ROOT_TYPE)):
        short = path.removeprefix("deploymentConfigurations.")
        plain = short in PLAIN_LISTS or short.startswith("deploymentEnvironment.affinity.")
        assert (path in known) is not plain, path


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("deploymentConfigurations", "name"),
        ("deploymentConfigurations.providers.kubernetes.accounts", "name"),
        ("deploymentConfigurations.providers.kubernetes.accounts.dockerRegistries", "accountName"),
        ("deploymentConfigurations.providers.kubernetes.accounts.customResources", "kubernetesKind"),
        ("deploymentConfigurations.providers.kubernetes.accounts.cachingPolicies", "kubernetesKind"),
        ("deploymentConfigurations.providers.aws.bakeryDefaults.baseImages", "baseImage.id"),
        ("deploymentConfigurations.providers.aws.defaultRegions", "name"),
        ("deploymentConfigurations.providers.dcos.clusters", "name"),
        ("deploymentConfigurations.canary.serviceIntegrations", "name"),
        ("deploymentConfigurations.canary.serviceIntegrations.accounts", "name"),
        ("deploymentConfigurations.ci.jenkins.masters", "name"),
        ("deploymentConfigurations.ci.gcb.accounts", "name"),
        ("deploymentConfigurations.repository.nexus.searches", "name, repo"),
        ("deploymentConfigurations.repository.artifactory.searches", "name, baseUrl, repo"),
        ("deploymentConfigurations.providers.dcos.accounts.clusters", "name, uid"),
        (
            "deploymentConfigurations.providers.aws.bakeryDefaults.baseImages.virtualizationSettings",
            "region, virtualizationType",
        ),
        ("deploymentConfigurations.providers.huaweicloud.bakeryDefaults.baseImages.virtualizationSettings", "region"),
        ("deploymentConfigurations.pubsub.google.subscriptions", "name"),
        ("deploymentConfigurations.artifacts.templates", "name"),
        ("deploymentConfigurations.deploymentEnvironment.sidecars.*", "name"),
        ("deploymentConfigurations.deploymentEnvironment.sidecars.*.secretVolumeMounts", "mountPath"),
        ("deploymentConfigurations.deploymentEnvironment.hostAliases.*", "ip"),
        ("deploymentConfigurations.deploymentEnvironment.initContainers.*", "name"),
    ],
)
def test_the_key_of_a_list_of_the_halconfig(path: str, key: str) -> None:
    assert dict(keyed(build_key_tree("config")))[path] == key


def test_lists_of_single_values_are_not_keyed() -> None:
    account = (
        build_key_tree("config")
        .child("deploymentConfigurations")
        .child("providers")
        .child("kubernetes")
        .child("accounts")
    )
    assert account.child("namespaces") == NO_KEYS
    assert account.child("permissions") == NO_KEYS


@pytest.mark.parametrize(
    ("steps", "key"),
    [
        (("kubernetes", "accounts"), "name"),
        (("docker-registry", "accounts"), "name"),
        (("artifacts", "gitRepo", "accounts"), "name"),
        (("jenkins", "masters"), "name"),
        (("kayenta", "prometheus", "accounts"), "name"),
        (("aws", "bakery-defaults", "base-images"), "baseImage.id"),
        (("docker", "bakeryDefaults", "baseImages"), "baseImage.id"),
        (("aws", "bakeryDefaults", "baseImages", "virtualizationSettings"), "region, virtualizationType"),
        (("alicloud", "bakery-defaults", "base-images", "virtualization-settings"), "region"),
        (("artifactory", "searches"), "name, baseUrl, repo"),
        (("job", "preconfigured", "kubernetes"), None),
        (("spring", "cloud", "config", "server", "composite"), None),
    ],
)
def test_the_keyed_lists_of_profiles(steps: tuple[str, ...], key: str | None) -> None:
    node = build_key_tree("default/profiles/clouddriver-local.yml")
    for step in steps:
        node = node.child(step)
    assert node.key == key


def test_volumes_of_service_settings_go_by_id() -> None:
    assert dict(keyed(build_key_tree("default/service-settings/gate.yml"))) == {"kubernetes.volumes": "id"}


def test_other_files_have_no_keyed_lists() -> None:
    assert build_key_tree("halyard.yaml") == NO_KEYS


def test_more_keys_are_added_by_dotted_path() -> None:
    extra = {"job.preconfigured.kubernetes": "label", 'a."b.c".d': "id", "kubernetes.accounts": "context", "x.*": "y"}
    tree = build_key_tree("default/profiles/orca-local.yml", extra)
    assert tree.child("job").child("preconfigured").child("kubernetes").key == "label"
    assert tree.child("a").child("b.c").child("d").key == "id"
    assert tree.child("kubernetes").child("accounts").key == "context"
    assert tree.child("kubernetes").child("accounts").child("customResources").key == "kubernetesKind"
    assert tree.child("x").child("anything").key == "y"
    assert build_key_tree("default/profiles/orca-local.yml").child("job") == NO_KEYS


def test_every_key_of_the_table_has_a_source_and_a_row_in_the_documentation() -> None:
    page = (needs.ROOT / "docs" / "merge.md").read_text()
    rows = [row.split(" | ") for row in page.splitlines() if row.startswith("| `")]
    listed = {
        (keys.strip("| ").replace("`", ""), reader) for keys, _, reader in (row[:3] for row in rows if len(row) == 3)
    }
    for rule in {*_BY_CLASS.values(), *_BY_FIELD.values(), *_PROFILE_LISTS.values()}:
        programs = [part.split(":")[0] for part in rule.source.split("; ") if ":" in part]
        assert programs, rule
        assert any(key == rule.key and programs[0] in reader for key, reader in listed), rule
