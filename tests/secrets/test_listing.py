"""`secrets list` and `secrets check`: references, engines and places; what exists; never a value."""

from __future__ import annotations

from secret_trees import Store, compiled

from halgit.compiler import Locator
from halgit.errors import RefusedError
from halgit.operator_settings import Trust
from halgit.remotes.engine import SecretData
from halgit.secrets import check_secrets, list_references, plan_secrets

GATE = "default/profiles/gate-local.yml"
TREE = compiled(
    {
        GATE: "a: encrypted:s:k\nb:\n  c: encrypted:k8s!n:s!k:k\nd: encrypted:s:other\ne: encrypted:gone:k\n",
        "default/profiles/rosco/x.json": '{\n"a": "encrypted:vault!e:kv!p:x!k:y.z"}\n',
        "default/profiles/orca-local.yml": "a: encryptedFile:s3!r:us-east-1!b:bucket!f:x\n"
        "b: encrypted:noop!v:hunter2\n",
    }
)
PUT = Locator(TREE.files, TREE.layers).locate_findings


def test_each_reference_is_listed_once_with_its_places() -> None:
    listed = list_references(plan_secrets(TREE, Trust(), "resolve"), PUT)
    assert [(row.reference, row.engine, row.places, row.left) for row in listed] == [
        ("k8s://s#k", "k8s", (f"{GATE}:1: a", f"{GATE}:3: b.c"), False),
        ("k8s://s#other", "k8s", (f"{GATE}:4: d",), False),
        ("k8s://gone#k", "k8s", (f"{GATE}:5: e",), False),
        ("s3://bucket/x?region=us-east-1", "s3", ("default/profiles/orca-local.yml:1: a",), True),
        ("noop", "noop", ("default/profiles/orca-local.yml:2: b",), False),
        ("vault://kv/x#y.z", "vault", ("default/profiles/rosco/x.json:2",), False),
    ]


def test_what_exists_is_asked_once_for_each_secret_and_keys_are_compared() -> None:
    store = Store(
        {
            "k8s://s": SecretData({"k": b"v", "l": b"w"}),
            "vault://kv/x": SecretData({"y": {"z": "v"}}),
            "noop://hunter2": SecretData(whole=b"hunter2"),
        }
    )
    checked = check_secrets(plan_secrets(TREE, Trust(), "resolve"), store, PUT)
    assert [(each.row.reference, each.state, each.how, each.detail) for each in checked] == [
        ("k8s://s#k", "there", "metadata", ""),
        ("k8s://s#other", "missing", "metadata", "the secret has no key other (keys: k, l)"),
        ("k8s://gone#k", "missing", "", "There is nothing at k8s://gone. Put it there."),
        ("noop", "there", "metadata", ""),
        ("vault://kv/x#y.z", "there", "metadata", "only y of the key was checked"),
    ]
    assert sorted(store.asked) == ["k8s://gone", "k8s://s", "noop://hunter2", "vault://kv/x"]


def test_a_refusal_is_no_absence() -> None:
    store = Store({"k8s://gone": RefusedError("No right.", "Give it."), "k8s://s": SecretData({})})
    states = {each.row.reference: each.state for each in check_secrets(plan_secrets(TREE, Trust(), "resolve"), store)}
    assert (states["k8s://gone#k"], states["vault://kv/x#y.z"]) == ("refused", "missing")
