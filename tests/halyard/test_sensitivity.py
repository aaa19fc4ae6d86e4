"""Key names that say their value is a secret, in every way of writing them."""

from __future__ import annotations

import pytest

from halgit.halyard.sensitivity import is_sensitive_key, split_words


@pytest.mark.parametrize(
    "key",
    ["password", "PASSWORD", "keyStorePassword", "db-password", "dbpassword", "client_secret", "clientSecret", "secret",
     "AWS_SECRET_ACCESS_KEY", "GIT_TOKEN", "githubOAuthAccessToken", "tokens", "apitoken", "credentials", "privateKey",
     "private-key", "PRIVATE_KEY", "sshPrivateKeyPassphrase", "api_key", "appKey", "insert_key", "encryptionKey",
     "secretId", "passwordCommand", "spring.datasource.password", "REDIS_PWD", "accessKey", "encrypt.key",
     "spring.encryption.key"],
)  # fmt: skip
def test_keys_of_secrets(key: str) -> None:
    assert is_sensitive_key(key)


@pytest.mark.parametrize(
    "key",
    ["name", "passwordFile", "tokenFile", "privateKeyPath", "secretName", "accessTokenUri", "credentialPath",
     "imagePullSecrets", "secretArn", "tokenTtl", "AWS_ACCESS_KEY_ID", "accessKeyId", "keyStore", "publicKey", "author",
     "compass", "", "---", "key", "keyStore.key", "encrypt.fail-on-error"],
)  # fmt: skip
def test_keys_of_other_things(key: str) -> None:
    assert not is_sensitive_key(key)


def test_words_of_a_key() -> None:
    assert (
        split_words("kubeconfigFile")
        == split_words("kubeconfig-file")
        == split_words("KUBECONFIG_FILE")
        == ("kubeconfig", "file")
    )
    assert split_words("oAuthScopes") == ("o", "auth", "scopes")
