"""The `spinnakerconfig.yml` by which Clouddriver reads a store of accounts. Pure."""

from __future__ import annotations

from halgit import yaml as hyaml
from halgit.accounts.cipher import DEFAULT_SALT
from halgit.accounts.stores import Store
from halgit.pipeline import Value
from halgit.remotes.s3 import read_address as read_s3_address
from halgit.remotes.vault_tree import read_address as read_vault_address

_REFRESH_SECONDS = 10


def write_config(store: Store, branch: str, *, has_key: bool, salt: str = DEFAULT_SALT) -> str:
    """Return the file's text. Credentials are placeholders; the encryption key is one if there is a key."""
    settings = {"git": _git, "s3": _s3, "vault": _vault}[store.kind](store, branch)
    backend = {"s3": "awss3"}.get(store.kind, store.kind)
    data: dict[str, Value] = {
        "spring": {"profiles": {"include": backend}, "cloud": {"config": {"server": settings}}},
    }
    if has_key:
        data["encrypt"] = {"key": "<encrypt.key>", **({} if salt == DEFAULT_SALT else {"salt": salt})}
    return hyaml.dump(data).decode()


def _git(store: Store, branch: str) -> dict[str, Value]:
    settings: dict[str, Value] = {
        "uri": store.url,
        "basedir": "/tmp/config-repo",
        "refreshRate": _REFRESH_SECONDS,
        "forcePull": True,
        "cloneOnStart": True,
    }
    if branch:
        settings["defaultLabel"] = branch
    if store.path:
        settings["searchPaths"] = store.path
    if store.url.startswith("https://"):
        settings |= {"username": "<git user>", "password": "<git token>"}
    return {"git": settings}


def _s3(store: Store, branch: str) -> dict[str, Value]:
    """The backend reads at the root of the bucket, or below a label."""
    bucket, prefix = read_s3_address(store.url)
    label = "/".join(part for part in (prefix.strip("/"), store.path) if part)
    settings: dict[str, Value] = {"awss3": {"bucket": bucket, "region": "<region>"}}
    return {**settings, "defaultLabel": label} if label else settings


def _vault(store: Store, branch: str) -> dict[str, Value]:
    mount, _, folder = read_vault_address(store.url).partition("/")
    path = "/".join(part for part in (folder, store.path) if part)
    settings: dict[str, Value] = {
        "host": "<host>", "port": 8200, "scheme": "https", "backend": mount, "kvVersion": 2,
        "authentication": "KUBERNETES", "kubernetes": {"role": "<role>"},
    }  # fmt: skip
    return {"vault": {**settings, "pathToKey": path} if path else settings}
