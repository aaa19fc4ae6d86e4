"""What is written of what was typed: texts, secrets, empty lists, kept values; bound by Clouddriver's classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clouddriver import FIELDS, Judge
from program import Ran
from servers.repositories import Repository
from warm import warm

from halgit import yaml as hyaml
from halgit.accounts.checks import ALLOWED_KINDS
from halgit.accounts.cipher import Cipher
from halgit.halyard.sensitivity import is_sensitive_key
from halgit.redaction import Secret
from halgit.validation.account_access import POD_ACCESS

FILE = "accounts/clouddriver-local.yml"
KEY = "the-encrypt-key"
KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://x'}}]
users: [{name: u, user: {token: canary-token}}]
contexts: [{name: one, context: {cluster: c, user: u}}]
current-context: one
"""
KEPT = (
    "halgit.keep was added: a {cipher} value that stays, so that Clouddriver notices when the last account with a"
    " secret is removed.\n"
)
HUB = ("--provider", "docker-registry", "--field", "address=https://r.example.com")

Accounts = Callable[..., Ran]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Ran]]:
    with warm(tmp_path_factory.mktemp("warm")) as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "accounts.git")
    made.commit({"README": "hello\n"})
    made.git("checkout", "--quiet", "--detach")
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    return made


@pytest.fixture
def accounts(repository: Repository, run: Callable[..., Ran]) -> Accounts:
    def accounts(command: str, *arguments: object, key: bool = False) -> Ran:
        secret = ("--encrypt-key-file", repository.folder.parent / "key") if key else ()
        ran = run(
            "accounts", command, *arguments, *secret, "--repo", repository.url, "--ref", "main", HOME="/nonexistent"
        )
        assert "canary" not in ran.out + ran.err
        return ran

    return accounts


def put(repository: Repository, text: str, **files: str) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({FILE: text, **files})
    repository.git("checkout", "--quiet", "--detach")


def entries(repository: Repository, provider: str = "kubernetes") -> list[dict[str, Any]]:
    data: Any = hyaml.read(repository.git("show", f"main:{FILE}").encode(), FILE).data
    return list(data[provider]["accounts"])


def sealed(text: str) -> str:
    return Cipher(Secret(KEY, "key")).encrypt(text)


def refused(ran: Ran, code: int = 6) -> str:
    assert ran.code == code, (ran.code, ran.err)
    return ran.err.removeprefix("halgit: ").rstrip("\n")


# --- texts ------------------------------------------------------------------------------------------------------

TYPED = ("0755", "1e3", "true", "null", "2020-01-01", "0x1F", "1_000", "1" * 30, "on", "~", "1:30", "0o17", ".5", "-0")


@pytest.mark.parametrize("way", ["--field", "--fields"])
def test_texts_stay_what_was_typed_in_lists_and_mappings_too(
    accounts: Accounts, repository: Repository, clouddriver: Judge, tmp_path: Path, way: str
) -> None:
    texts = [text for text in TYPED if text not in {"null", "~"}]
    fields = {
        "accountId": "012", "defaultSecurityGroups": f"[{', '.join(texts)}]",
        "permissions": "{READ: [0755], WRITE: [on]}",
        "regions": f"[{{name: 1_000, availabilityZones: [{', '.join(texts)}], deprecated: on}}]",
    }  # fmt: skip
    if way == "--field":
        arguments: list[object] = [part for key, text in fields.items() for part in (way, f"{key}={text}")]
    else:
        (tmp_path / "fields").write_text("".join(f"{key}: {text}\n" for key, text in fields.items()))
        arguments = [way, tmp_path / "fields"]
    ran = accounts("add", "a", "--provider", "aws", *arguments)
    assert ran.code == 0, ran.err
    (entry,) = entries(repository, "aws")
    assert entry["regions"] == [{"name": "1_000", "availabilityZones": texts, "deprecated": True}]
    (bound,) = clouddriver.of_repository(repository.url).accounts("aws")
    assert (bound["accountId"], sorted(bound["defaultSecurityGroups"])) == ("012", sorted(texts))
    assert bound["permissions"] == {"READ": ["0755"], "WRITE": ["on"]}


ODD = (
    *TYPED, "", "a #b", "a: b", "@x", "*x", "&x", " x ", "{a", "[b]", "!x", "- y", "|", ">", "%TAG", '"half', "it's",
    "#", "? a", "a\\b", "two\nlines\n\n", "\n", "\ttab", "{a:b}c", "{cipher", "$x {y}", "\U0001f642", "\u2028x",
    "\ufeffx", "x\r\n",
)  # fmt: skip


def test_a_string_field_takes_the_whole_text_and_every_character_reaches_clouddriver(
    accounts: Accounts, repository: Repository, clouddriver: Judge
) -> None:
    for number, text in enumerate(ODD):
        ran = accounts(
            "add", f"n{number}", *HUB, "--field", f"username={text}", "--field", f"password={text}", key=True
        )
        assert ran.code == 0, (text, ran.err)
    assert accounts("add", "quoted", *HUB, "--field", "username='1 #2'", "--field", 'email="a\\tb"').code == 0
    bound = clouddriver.of_repository(repository.url, key=KEY).accounts("docker-registry")
    assert [(one["username"], one["password"]) for one in bound[:-1]] == [(text, text) for text in ODD]
    assert (bound[-1]["username"], bound[-1]["email"]) == ("1 #2", "a\tb")
    stored = [entry["password"] for entry in entries(repository, "dockerRegistry") if entry.get("password")]
    assert all(one.startswith("{cipher}") for one in stored)
    assert len(stored) == len(ODD) - 1
    assert accounts("update", "n0", "--field", "username=a\n\n", key=True).code == 0, "the file can still be edited"


def test_bytes_that_are_no_text_are_refused(accounts: Accounts) -> None:
    for text in ("a\udcff", "'\udcff'"):
        ran = accounts("add", "a", *HUB, "--field", f"password={text}", key=True)
        assert "password holds half of a surrogate pair, or bytes that are not UTF-8" in refused(ran)


def test_a_field_that_is_no_string_is_yaml(accounts: Accounts) -> None:
    assert refused(accounts("add", "a", "--field", "namespaces=[a"), 2).startswith("--field namespaces: ")
    assert refused(accounts("add", "a", "--fields", "/nonexistent"), 2).startswith("--fields: ")


# --- secrets ----------------------------------------------------------------------------------------------------

SENSITIVE = {
    "alicloud": {"accessSecretKey"},
    "appengine": {"gitHttpsPassword", "githubOAuthAccessToken", "sshPrivateKeyPassphrase"},
    "azure": {"appKey"},
    "cloudfoundry": {"password"},
    "dcos": {"password", "serviceKeyData"},
    "docker-registry": {"password", "passwordCommand"},
    "huaweicloud": {"password"},
    "kubernetes": {"kubeconfigContents"},
    "oracle": {"privateKeyPassphrase"},
    "tencentcloud": {"secretId", "secretKey"},
}


def keys(fields: Any) -> Iterator[str]:
    for key, kind in fields.items() if isinstance(fields, dict) else ():
        yield key
        yield from keys(kind[0] if isinstance(kind, list) else kind)


@pytest.mark.parametrize("provider", sorted(FIELDS))
def test_the_sensitive_fields_of_every_provider_are_known(provider: str) -> None:
    assert {key for key in keys(FIELDS[provider]) if is_sensitive_key(key)} == SENSITIVE.get(provider, set())


NO_PATHS = {"useSshPublicKey", "sshTrustUnknownHosts", "blobDir", "kubeconfigContents", "rawResourcesEndpointConfig"}
"""Fields that look like paths or programs and are none: a folder of a storage account, flags, contents."""


@pytest.mark.parametrize("provider", sorted(FIELDS))
def test_every_field_that_names_a_file_or_program_of_the_pod_needs_permission(provider: str) -> None:
    looks = re.compile(
        "(?i)file|path|dir(ectory)?$|command|executable|config|oAuthServiceAccount|publickey|unknownhosts"
    )
    named = {key for key in keys(FIELDS[provider]) if looks.search(key)} - NO_PATHS
    assert named == set(POD_ACCESS.get(provider, {}))
    assert set(POD_ACCESS.get(provider, {}).values()) <= set(ALLOWED_KINDS)


def test_a_password_in_a_list_of_logins_is_encrypted(accounts: Accounts, repository: Repository) -> None:
    field = ("--field", "clusters=[{name: c, uid: u, password: 0755}]")
    ran = accounts("add", "d", "--provider", "dcos", *field, key=True)
    assert ran.code == 0, ran.err
    password = entries(repository, "dcos")[0]["clusters"][0]["password"]
    assert Cipher(Secret(KEY, "key")).decrypt(password) == "0755"
    before = repository.git("rev-parse", "main")
    assert accounts("update", "d", *field, key=True).out == "Nothing to change.\n"
    assert repository.git("rev-parse", "main") == before
    assert accounts("update", "d", "--field", "clusters=[{name: c, uid: u, password: 755}]", key=True).code == 0


def test_an_update_encrypts_what_was_in_plain_text(accounts: Accounts, repository: Repository) -> None:
    put(repository, "docker-registry:\n  accounts:\n  - name: h\n    address: x\n    Password: canary # old\n")
    ran = accounts("update", "h", "--field", "cacheThreads=2", key=True)
    assert (ran.code, ran.err) == (0, "Password was in plain text and is encrypted now.\n" + KEPT)
    assert entries(repository, "docker-registry")[0]["Password"].startswith("{cipher}")
    assert "canary" not in repository.git("show", f"main:{FILE}")


CIPHERS = {
    "without a key": (["--field", "password=" + "{cipher}" + "0a" * 32], False,
                      "password is a {cipher} value, which cannot be checked without --encrypt-key-file"),
    "of another key": (["--field", "password=" + "{cipher}" + "0a" * 32], True, "is a {cipher} value of another key"),
    "in upper case": (["--field", "password={CIPHER}" + "0a" * 32], True, ""),
    "too short": (["--field", "password={cipher}0a0a"], True, "is not a {cipher} value that Spring can decrypt"),
    "with a newline": (["--field", "password={cipher}" + "0a" * 32 + "\n"], True, "is not a {cipher} value"),
    "with a placeholder": (["--field", "password=" + sealed("a${HOME}")], True, "password, decrypted, holds ${"),
}  # fmt: skip


@pytest.mark.parametrize("case", CIPHERS)
def test_a_cipher_value_is_opened_before_it_is_written(accounts: Accounts, repository: Repository, case: str) -> None:
    arguments, key, words = CIPHERS[case]
    before = repository.git("rev-parse", "main")
    ran = accounts("add", "h", *HUB, *arguments, key=key)
    assert (ran.code, words in ran.err) == (6 if words else 0, True), ran.err
    assert (repository.git("rev-parse", "main") == before) == bool(words)


# --- kubeconfigs ------------------------------------------------------------------------------------------------

EXEC = KUBECONFIG.replace("token: canary-token", "exec: {command: evil}")
BAD = {
    "a program": (EXEC, (), "the user runs a program in Clouddriver's pod (exec), which needs --allow exec"),
    "a program without a command": (KUBECONFIG.replace("canary-token", "x, exec: {}"), (), "needs --allow exec"),
    "a plug-in": (KUBECONFIG.replace("canary-token", "x, auth-provider: {name: gcp}"), (), "--allow auth-provider"),
    "a token file beside a token": (
        KUBECONFIG.replace("canary-token", "x, tokenFile: /var/run/token"), (), "the user has tokenFile, a file that",
    ),
    "a user without a password": (KUBECONFIG.replace("token: canary-token", "username: x"), (), "has no credentials"),
    "another context": (KUBECONFIG, ("--field", "context=two"), "it has no context two (contexts: one)"),
    "a server without TLS": (KUBECONFIG.replace("https:", "HTTP:"), (), "which needs --allow http-server"),
    "a placeholder": (KUBECONFIG.replace("canary-token", "'${HOME}'"), (), "it holds ${, which Spring takes for"),
    "a list": ("- a\n", (), "it is not a kubeconfig in YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_kubeconfig_is_checked_however_it_is_given(accounts: Accounts, repository: Repository, case: str) -> None:
    """In a file of the store, and in a value that was encrypted elsewhere."""
    text, arguments, words = BAD[case]
    put(repository, "", **{"accounts/k": text})
    before = repository.git("rev-parse", "main")
    for field in ("kubeconfigFile=configserver:k", "kubeconfigContents=" + sealed(text)):
        assert words in refused(accounts("add", "a", "--field", field, *arguments, key=True))
    assert repository.git("rev-parse", "main") == before


def test_what_the_operator_permits_is_accepted_however_it_is_given(accounts: Accounts, repository: Repository) -> None:
    put(repository, "", **{"accounts/k": EXEC})
    assert accounts("add", "a", "--field", "kubeconfigFile=configserver:k", "--allow", "exec").code == 0
    contents = ("--field", "kubeconfigContents=" + sealed(EXEC))
    assert accounts("add", "b", *contents, "--allow", "exec", key=True).code == 0
    assert "needs --allow exec" in refused(accounts("update", "b", "--field", "context=one", key=True))
    assert accounts("update", "b", "--field", "cacheThreads=2", key=True).code == 0, "what was permitted stays"
    escaped = KUBECONFIG.replace("canary-token", r"'a\${HOME}'")
    put(repository, "", **{"accounts/k": escaped})
    assert accounts("add", "c", "--field", "kubeconfigFile=configserver:k").code == 0


# --- the kept value ---------------------------------------------------------------------------------------------


def test_the_last_secret_cannot_go_by_an_update_either(accounts: Accounts, repository: Repository) -> None:
    put(repository, f"kubernetes:\n  accounts:\n  - name: a\n    kubeconfigContents: '{sealed(KUBECONFIG)}'\n")
    plain = ("--kubeconfig", repository.folder.parent / "kubeconfig", "--plaintext-kubeconfig")
    assert "the account a has the last {cipher} value of the file" in refused(accounts("update", "a", *plain))
    swapped = ("--unset", "kubeconfigContents", "--field", "serviceAccount=true")
    assert "has the last {cipher} value" in refused(accounts("update", "a", *swapped))
    assert accounts("update", "a", *swapped, key=True).err == KEPT
    assert accounts("remove", "a").code == 0, "the kept value is enough"


def test_notes_say_what_happened(accounts: Accounts) -> None:
    shown = accounts("add", "h", *HUB, "--field", "password=canary", "--dry-run", key=True)
    assert shown.err == KEPT
    assert accounts("add", "h", *HUB, "--field", "password=canary", key=True).err == KEPT
    assert accounts("add", "i", *HUB, "--field", "password=canary", key=True).err == ""
    assert accounts("remove", "h").err == (
        "Nothing was revoked: the account's credentials stay valid until they are revoked.\n"
    )
    accounts("add", "s", "--field", "serviceAccount=true")
    assert accounts("remove", "s").err == ""


# --- empty lists ------------------------------------------------------------------------------------------------


def test_an_empty_list_is_not_written_because_spring_reads_it_as_text(
    accounts: Accounts, repository: Repository, clouddriver: Judge
) -> None:
    fields = ("namespaces=[]", "permissions={READ: [], WRITE: [a]}", "customResources=[]", "serviceAccount=true")
    ran = accounts("add", "a", *[part for one in fields for part in ("--field", one)])
    assert ran.err.splitlines()[:2] == [
        "namespaces is empty and not written.",
        "customResources is empty and not written.",
    ]
    assert entries(repository) == [{"name": "a", "permissions": {"WRITE": ["a"]}, "serviceAccount": True}]
    assert accounts("update", "a", "--field", "permissions={}").code == 0
    assert entries(repository) == [{"name": "a", "serviceAccount": True}]
    cloud = ("--provider", "cloudfoundry", "--field", "api=x", "--field", "user=u", "--field", "password=canary")
    assert accounts("add", "c", *cloud, "--field", "spaceFilter={Org: [], Ünï: [dev]}", key=True).code == 0
    verdict = clouddriver.of_repository(repository.url, key=KEY)
    assert verdict.accounts("cloudfoundry")[0]["spaceFilter"] == {"Org": [], "Ünï": ["dev"]}
    assert verdict.accounts("kubernetes")[0]["name"] == "a"


def test_the_first_secret_is_refused_where_spring_would_misread_empty_lists(
    accounts: Accounts, repository: Repository, clouddriver: Judge
) -> None:
    text = (
        "kubernetes:\n  accounts:\n  - name: a\n    serviceAccount: true\n    customResources: []\n    namespaces: []\n"
    )
    put(repository, text)
    hub = ("add", "h", *HUB, "--field", "password=canary")
    assert refused(accounts(*hub, key=True)) == (
        f"{FILE}: in a file with {{cipher}} values Spring reads empty lists and mappings as the text [] or {{}}:"
        " a (customResources), a (namespaces). Remove these fields: they are empty without them."
    )
    text += f"docker-registry: {{accounts: [{{name: h, address: x, password: '{sealed('x')}'}}]}}\n"
    assert clouddriver.of_text(text, KEY).fails("kubernetes")
    text = text.replace("    customResources: []\n", "")
    assert clouddriver.of_text(text, KEY).accounts("kubernetes")[0]["namespaces"] == ["[]"]
    assert accounts("update", "a", "--unset", "customResources", "--unset", "namespaces").code == 0
    assert accounts(*hub, key=True).code == 0


# --- providers --------------------------------------------------------------------------------------------------


def test_an_unknown_provider_is_accepted_with_a_warning(
    accounts: Accounts, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "fields").write_text("region: 0755\nnested: {token: canary, list: [1]}\n")
    ran = accounts("add", "a", "--provider", "my-cloud", "--fields", tmp_path / "fields", key=True)
    assert ran.code == 0, ran.err
    assert ran.err.endswith("halgit does not know the provider my-cloud; its fields were not checked.\n")
    (entry,) = entries(repository, "myCloud")
    assert (entry["nested"]["token"][:8], entry["nested"]["list"]) == ("{cipher}", [1])
    assert "ALL is not a permission" in refused(
        accounts("add", "b", "--provider", "my-cloud", "--field", "permissions={ALL: [x]}")
    )


@pytest.mark.parametrize(
    "provider", ["", "kubernetes.accounts[0]", "spring", "Halgit", "encrypt", "a b", "a.b", "-a", "a/b"]
)
def test_what_is_no_name_of_a_provider_is_refused(accounts: Accounts, provider: str) -> None:
    assert f"{provider!r} is not the name of a provider" in refused(
        accounts("add", "a", "--provider", provider, "--field", "x=y")
    )


# --- other spellings --------------------------------------------------------------------------------------------

SHAPES = {
    "spring: {config.activate.on-profile: prod}": "makes Spring read this document only in some profiles",
    "spring: {config: {activate: {onProfile: prod}}}": "makes Spring read this document only in some profiles",
    "SPRING: {CONFIG: {ACTIVATE: {ON_PROFILE: prod}}}": "makes Spring read this document only in some profiles",
    "spring.config.activate.on-cloud-platform: kubernetes": "or on some platforms",
    "spring: {profiles: prod}": "makes Spring read this document only in some profiles",
    "spring.profiles.active: x": "stops the config server, which refuses it in this file",
    "spring: {profiles: {include: x}}": "stops the config server, which refuses it in this file",
    "spring.config.import: 'file:x'": "makes Spring read another file",
}
LISTS = {
    "kubernetes: {'accounts[0].name': a}": "it writes accounts as kubernetes.accounts[0].name",
    "kubernetes.accounts[0].name: a": "it writes accounts as kubernetes.accounts[0].name",
    "'kubernetes[accounts]': [{name: a}]": "it writes accounts as kubernetes[accounts]",
    "kubernetes: {'accounts[1]': {name: a}}": "Spring binds items with the numbers 0, 1, 2 only",
    "kubernetes: {'accounts[00]': {name: a}}": "Spring binds items with the numbers 0, 1, 2 only",
    "kubernetes: {accounts: {0: {name: a}}}": "kubernetes.accounts is not a list",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_key_by_which_spring_reads_a_file_in_another_way_is_refused(
    accounts: Accounts, repository: Repository, clouddriver: Judge, shape: str
) -> None:
    text = f"{shape}\nkubernetes: {{accounts: [{{name: a, serviceAccount: true}}]}}\n"
    verdict = clouddriver.of_text(text)
    assert verdict.served or not verdict.accounts("kubernetes")
    put(repository, text)
    assert SHAPES[shape] in refused(accounts("add", "b", "--field", "serviceAccount=true"))


@pytest.mark.parametrize("shape", LISTS)
def test_accounts_that_are_found_by_spring_alone_are_refused(
    accounts: Accounts, repository: Repository, clouddriver: Judge, shape: str
) -> None:
    verdict = clouddriver.of_text(shape + "\n")
    assert verdict.fails("kubernetes") or verdict.accounts("kubernetes")[0]["name"] == "a"
    put(repository, shape + "\n")
    assert LISTS[shape] in refused(accounts("add", "a", "--field", "serviceAccount=true"))


SPELLED = (
    "kubernetes: {'[accounts]': [{'[name]': a, serviceAccount: true}]}",
    "KUBERNETES: {Acc-ounts: [{NAME: a, serviceAccount: true}]}",
    "kubernetes: {'acc-ounts[0]': {name: a, serviceAccount: true}}",
    "kubernetes: {accountsö: [{nameö: a, serviceAccount: true}]}",
    "x: &x {serviceAccount: true}\nkubernetes: {accounts: [{<<: *x, name: a}]}",
    "\ufeffkubernetes:\r\n  accounts:\r\n  - name: a\r\n    serviceAccount: true\r",
)


@pytest.mark.parametrize("shape", SPELLED)
def test_accounts_in_other_spellings_are_found_and_never_doubled(
    accounts: Accounts, repository: Repository, clouddriver: Judge, shape: str
) -> None:
    assert clouddriver.of_text(shape + "\n").accounts("kubernetes")[0]["name"] == "a"
    put(repository, shape + "\n")
    assert "has a kubernetes account a already" in refused(accounts("add", "A", "--field", "serviceAccount=true"))
    ran = accounts("update", "a", "--field", "cacheThreads=3")
    if ran.code == 0:
        (bound,) = clouddriver.of_repository(repository.url).accounts("kubernetes")
        assert (bound["name"], bound["cacheThreads"]) == ("a", 3)
    else:
        assert "Write the list in block style, without anchors." in refused(ran)


def test_a_field_that_is_part_of_another_is_refused(
    accounts: Accounts, repository: Repository, clouddriver: Judge
) -> None:
    text = "kubernetes:\n  accounts:\n  - name: a\n    serviceAccount: true\n    permissions.READ: [x]\n"
    assert clouddriver.of_text(text).accounts("kubernetes")[0]["permissions"] == {"READ": ["x"]}
    put(repository, text)
    assert "permissions.READ is a part of another field to Spring" in refused(
        accounts("update", "a", "--field", "permissions={READ: [y], WRITE: [y]}")
    )


def test_an_empty_bare_repository_is_a_start_without_a_branch(run: Callable[..., Ran], tmp_path: Path) -> None:
    bare = Repository(tmp_path / "work")
    bare.git("clone", "--quiet", "--bare", str(bare.folder), str(tmp_path / "bare.git"))
    url = f"file://{tmp_path / 'bare.git'}"
    assert run("accounts", "list", "--repo", url, HOME="/nonexistent").out == "No accounts.\n"
    ran = run("accounts", "add", "a", "--field", "serviceAccount=true", "--repo", url, HOME="/nonexistent")
    assert ran.code == 0, ran.err
    assert "name: a" in bare.git("--git-dir", str(tmp_path / "bare.git"), "show", f"main:{FILE}")
