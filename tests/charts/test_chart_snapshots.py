"""What each chart renders alone, as files to read. Write them anew with HALGIT_WRITE_SNAPSHOTS=1.

Left out is what other tests hold for all charts at once: labels, accounts, security contexts, probes' times, texts of
error codes, the pod of helm test. Network policies are written as lines.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from charts_values import ALONE

Object = dict[str, Any]
FOLDER = Path(__file__).parent / "snapshots"
LEFT_OUT = {
    "labels", "securityContext", "imagePullPolicy", "terminationMessagePolicy", "enableServiceLinks",
    "automountServiceAccountToken", "periodSeconds", "timeoutSeconds", "failureThreshold", "revisionHistoryLimit",
    "protocol", "namespace", "checksum/config",
}  # fmt: skip


def short(value: Any) -> Any:
    """The value without what is left out, and long files by their first line."""
    if isinstance(value, dict):
        return {key: short(one) for key, one in value.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        return [short(one) for one in value]
    if isinstance(value, str) and value.startswith(("standardErrorCodesMapping.", "#!", '"""')):
        return value.splitlines()[0] + " ..."
    return value


def policy(one: Object) -> Object:
    """A network policy as lines: who, and at which ports."""

    def line(rule: Object, key: str) -> str:
        peers = [_peer(peer) for peer in rule.get(key, [])] or ["everyone"]
        return " ".join([*peers, *(f"{row['protocol']}/{row['port']}" for row in rule.get("ports", []))])

    sides = {"ingress": "from", "egress": "to"}
    rules = {side: [line(rule, key) for rule in one["spec"][side]] for side, key in sides.items()}
    return {"kind": one["kind"], "name": one["metadata"]["name"], **rules}


def _peer(peer: Object) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    return str(labels.get("app.kubernetes.io/name") or labels.get("app") or "every pod")


class Readable(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Readable.add_representer(str, _text)


@pytest.mark.parametrize("chart", sorted(ALONE))
def test_the_chart_renders_what_it_did(render: Callable[..., list[Object]], chart: str) -> None:
    rendered = [one for one in render(chart, ALONE[chart]) if one["kind"] not in ("ServiceAccount", "Pod")]
    objects = [policy(one) if one["kind"] == "NetworkPolicy" else short(one) for one in rendered]
    text = yaml.dump_all(objects, Dumper=Readable, sort_keys=False, width=120)
    file = FOLDER / f"{chart}.yaml"
    if os.environ.get("HALGIT_WRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text)
    before = file.read_text() if file.exists() else ""
    changed = "\n".join(difflib.unified_diff(before.splitlines(), text.splitlines(), "before", "now", lineterm="", n=2))
    assert not changed, f"{changed}\nIf this is meant, run with HALGIT_WRITE_SNAPSHOTS=1."
