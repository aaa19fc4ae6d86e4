"""Plain-text secrets are masked like resolved ones."""

from __future__ import annotations

from secret_trees import compiled

from halgit.redaction import Redactor
from halgit.secrets import find_sensitive_values, learn_plain_secrets


def test_marked_fields_telling_keys_and_parameters_are_masked() -> None:
    tree = compiled(
        {
            "halgit.yaml": "params: {pin: {type: string, secret: true}}\n",
            "config": "deploymentConfigurations:\n- name: default\n"
            "  security: {authn: {oauth2: {client: {clientId: the-client-id, clientSecret: canary-one}}}}\n"
            "  artifacts: {github: {accounts: [{username: hubuser, password: canary-two, token: 1234567}]}}\n",
            "default/profiles/gate-local.yml": "redis:\n  password: canary-three\n  passwordFile: /etc/pw-file\n"
            "  tokens: [canary-four, {x: plain-text}]\nother: ${{ params.pin }}\nfeature-token: true\n"
            "secret: encrypted:some-name:some-key\ndynamic-password: ${REDIS_PASSWORD}\n"
            "noop: encrypted:noop!v:canary-six\naddresses: ['redis://:canary-nine@redis:6379', 'redis://:${X}@redis']\n",
            "default/profiles/rosco/x.json": '{"apiKey": "canary-seven", "name": "plain"}\n',
            "default/profiles/rosco/y.properties": "# c\ndb.password = canary-eight\ndb.user=somebody\nurl=https://u:canary-ten@x\n",
        },
        set={"pin": "canary-five"},
    )
    assert find_sensitive_values(tree) == {
        "canary-one", "canary-two", "1234567", "canary-three", "canary-four", "canary-five", "canary-six",
        "canary-seven", "canary-eight", "canary-nine", "canary-ten",
    }  # fmt: skip


def test_a_value_that_is_also_a_name_of_the_tree_does_not_blank_the_names_out() -> None:
    tree = compiled({"default/profiles/gate-local.yml": "password: password\nredis:\n  password: gate-local\n"})
    redactor = Redactor()
    learn_plain_secrets(tree, redactor)
    line = "default/profiles/gate-local.yml:1: redis.password"
    assert redactor.clean(line) == line
