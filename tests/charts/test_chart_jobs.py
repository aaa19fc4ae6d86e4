"""The jobs of the umbrella: when they run, what they are called, and what their roles allow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from charts_pods import NAME, job, template
from charts_values import CI, over

Object = dict[str, Any]
Every = dict[str, list[Object]]


def test_bootstrap_runs_before_installs_and_upgrades_and_helm_does_not_wait_for_configure(every: Every) -> None:
    """Secrets that are missing are created at every upgrade; services need longer than a hook may take."""
    assert job(every["hosts"], "bootstrap")["metadata"]["annotations"] == {
        "helm.sh/hook": "pre-install,pre-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    configure = job(every["hosts"], "configure")
    assert "annotations" not in configure["metadata"]
    assert configure["spec"]["backoffLimit"] == 6
    assert configure["spec"]["activeDeadlineSeconds"] == 7 * (1800 + 600)


def test_a_job_that_differs_has_another_name(render: Callable[..., list[Object]]) -> None:
    """What is applied again cannot change a Job that is there; objects of one name are the same objects."""

    def names(values: Object) -> dict[str, str]:
        objects = render("isd", over(CI["hosts"], values))
        return {name: job(objects, name)["metadata"]["name"] for name in ("bootstrap", "configure")}

    before = names({})
    for name, full in before.items():
        assert re.fullmatch(rf"isd-{name}-[0-9a-f]{{8}}", full)
    assert names({"sapor": {"replicas": 2}}) == before, "another value leaves the jobs as they are"
    another = names({"global": {"halgit": {"tag": "9.9.9"}}})
    assert not set(another.values()) & set(before.values())
    waiting = names({"configure": {"waitSeconds": 60}})
    assert waiting["bootstrap"] == before["bootstrap"]
    assert waiting["configure"] != before["configure"]
    seen: dict[str, Object] = {}
    for values in ({}, {"sapor": {"replicas": 2}}, {"bootstrap": {"labels": {"a": "b"}}}, {"global": {"trial": True}}):
        for one in render("isd", over(CI["hosts"], values)):
            if one["kind"] == "Job":
                assert seen.setdefault(one["metadata"]["name"], one["spec"]) == one["spec"]


def test_the_renewing_job_may_change_one_secret_and_restart_sapor(every: Every) -> None:
    objects = every["controller"]
    cron = job(objects, "renew", "CronJob")
    assert "annotations" not in cron["metadata"], "it is part of the release, no hook"
    assert (cron["spec"]["schedule"], cron["spec"]["concurrencyPolicy"]) == ("30 4 * * 1", "Forbid")
    (role,) = (o for o in objects if o["kind"] == "Role" and o["metadata"]["name"] == "isd-renew")
    secrets = {"apiGroups": [""], "resources": ["secrets"]}
    assert role["rules"] == [
        {**secrets, "verbs": ["get"], "resourceNames": ["isd-controller-ca", "isd-controller-control"]},
        {**secrets, "verbs": ["update"], "resourceNames": ["isd-controller-control"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"], "resourceNames": ["isd-sapor"]},
    ]
    assert not [
        where
        for where, found in every.items()
        if where not in ("controller", "example production")
        for o in found
        if o["kind"] == "CronJob"
    ]


def test_the_bootstrap_job_may_read_only_what_it_makes(every: Every) -> None:
    for where, objects in every.items():
        for one in (
            o for o in objects if o["kind"] == "Job" and template(o)["metadata"]["labels"][NAME] == "bootstrap"
        ):
            arguments = template(one)["spec"]["containers"][0]["args"]
            made = {
                text.split("=", 1)[1].split(":")[0] for text in arguments if re.match(r"--(generate|.*-secret)=", text)
            }
            role = next(o for o in objects if o["kind"] == "Role" and o["metadata"]["name"] == "isd-bootstrap")
            assert set(role["rules"][0]["resourceNames"]) == made, where
            assert role["rules"][0]["verbs"] == ["get"], where
            assert role["rules"][1]["verbs"] == ["create"], where
