"""Rules on authentication, authorization, public addresses and secrets in plain text."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="authn/iap",
        severity=Severity.WARNING,
        summary="Identity-Aware Proxy is enabled without an audience.",
        halyard="Halyard's validator of the section reports it; `hal deploy apply` does not run it.",
        impact="Logins fail.",
        fix="Set audience.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authn: {iap: {enabled: true}}}
""",
    ),
    Entry(
        id="authn/ldap",
        severity=Severity.WARNING,
        summary="LDAP is incomplete, or its address is invalid.",
        halyard="Halyard's validator of the section reports it; `hal deploy apply` does not run it.",
        impact="Logins fail.",
        fix="Complete ldap.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authn: {ldap: {enabled: true, url: 'ldap://ldap/dc=example,dc=org'}}}
""",
    ),
    Entry(
        id="authn/not-enabled",
        severity=Severity.WARNING,
        summary="An authentication method is configured but not enabled.",
        halyard="Halyard's validator of the section reports it; `hal deploy apply` does not run it.",
        impact="Everyone who reaches Gate has access without a login.",
        fix="Enable it, or remove the settings.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authn: {saml: {issuerId: a}}}
""",
    ),
    Entry(
        id="authn/oauth2",
        severity=Severity.WARNING,
        summary="OAuth2 has no client id or secret, or allows every Google account.",
        halyard="Halyard's validator of the section reports it; `hal deploy apply` does not run it.",
        impact="Logins fail, or everyone can log in.",
        fix="Complete oauth2.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authn: {oauth2: {enabled: true, provider: GOOGLE, client: {clientId: a}, userInfoRequirements: {}}}}
""",
    ),
    Entry(
        id="authn/oauth2-order",
        severity=Severity.WARNING,
        summary="oauth2.provider is below settings that it replaces.",
        halyard="Halyard reads the keys in order; provider replaces earlier values with its presets.",
        impact="The scope, addresses or user mapping in the file have no effect.",
        fix="Move provider to the top of oauth2.",
        example="""\
# config
currentDeployment: default
deploymentConfigurations:
- name: default
  version: '1.36.1'
  providers:
    kubernetes:
      enabled: true
      primaryAccount: spinnaker
      accounts:
      - name: spinnaker
        serviceAccount: true
  deploymentEnvironment:
    type: Distributed
    accountName: spinnaker
    location: spinnaker
  persistentStorage:
    persistentStoreType: s3
    s3: {bucket: example, region: eu-central-1}
  security:
    apiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com/api/v1'}
    uiSecurity: {overrideBaseUrl: 'https://spinnaker.example.com'}
    authn:
      oauth2:
        client: {clientId: a, clientSecret: 'encrypted:oauth:secret', scope: openid}
        resource: {userInfoUri: 'https://a'}
        provider: GITHUB
        enabled: true
""",
    ),
    Entry(
        id="authn/saml",
        severity=Severity.WARNING,
        summary="SAML is incomplete or invalid.",
        halyard="Halyard's validator of the section reports it; `hal deploy apply` does not run it.",
        impact="Gate does not start, or logins fail.",
        fix="Complete saml.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security:
    authn:
      saml:
        enabled: true
        issuerId: a
        metadataLocal: ''
        signatureDigest: sha256
        serviceAddress: http://gate
""",
    ),
    Entry(
        id="authn/saml-address",
        severity=Severity.ERROR,
        summary="SAML is enabled without a serviceAddress.",
        halyard="Halyard parses the address when it generates and ends with a NullPointerException.",
        impact="Nothing can be deployed.",
        fix="Set serviceAddress to the https address of Gate.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security:
    authn:
      saml:
        enabled: true
        issuerId: a
        metadataLocal: encryptedFile:saml:metadata
        keyStore: encryptedFile:saml:jks
        keyStorePassword: encrypted:saml:password
        keyStoreAliasName: a
        signatureDigest: SHA256
""",
    ),
    Entry(
        id="authn/x509",
        severity=Severity.WARNING,
        summary="roleOid of client certificates is an empty string.",
        halyard="Halyard's validator of the section reports it; `hal deploy apply` does not run it.",
        impact="Roles are not read from certificates.",
        fix="Write the object id, or remove roleOid.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authn: {x509: {enabled: true, roleOid: ''}}}
""",
    ),
    Entry(
        id="authz/incomplete",
        severity=Severity.WARNING,
        summary="The selected role provider lacks required settings.",
        halyard="Halyard's validator of security.authz reports an ERROR; `hal deploy apply` does not run it.",
        impact="Fiat does not start, or finds no roles, and nobody has permissions.",
        fix="Complete the role provider.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {authz: {enabled: true, groupMembership: {service: GITHUB, github: {organization: ''}}}}
""",
    ),
    Entry(
        id="public-addresses/malformed",
        severity=Severity.WARNING,
        summary="The public address of Deck or Gate is invalid.",
        halyard=(
            "Halyard parses the address with java.net.URI when it generates and ends with an exception if it "
            "cannot. Its validator of the section also reports a missing scheme or host; `hal deploy apply` does "
            "not run it, and the finding is a warning."
        ),
        impact="Deck does not find Gate, or logins fail.",
        fix="Write scheme://host/path.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {apiSecurity: {overrideBaseUrl: /gate/}, uiSecurity: {overrideBaseUrl: 'https://my_deck'}}
""",
    ),
    Entry(
        id="public-addresses/not-set",
        severity=Severity.WARNING,
        summary="Deck or Gate has no public address.",
        halyard="Halyard warns and writes an address on localhost.",
        impact="Without port forwarding the UI does not find Gate, and logins fail.",
        fix="Set overrideBaseUrl to the public address.",
        example="""\
# config
deploymentConfigurations:
- name: default
  security: {apiSecurity: {overrideBaseUrl: ''}}
""",
    ),
    Entry(
        id="secrets/plain-text",
        severity=Severity.WARNING,
        summary="A secret is in plain text.",
        halyard="Halyard and the services use it unchanged.",
        impact="Everyone who can read the repository, its copies or its history has the secret.",
        fix="Replace it with a reference, such as encrypted:ENGINE!k:v, and rotate the secret.",
        example="""\
# accounts/clouddriver-local.yml
docker-registry:
  accounts: [{name: other, password: not-for-you}]
kubernetes:
  accounts: [{name: spinnaker, kubeconfigContents: 'apiVersion: v1'}]
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      accounts:
      - {name: hub, address: 'https://index.docker.io', username: bot, password: hunter22}
  persistentStorage:
    azs: {storageAccountName: a, storageAccountKey: not-for-you}
# default/profiles/gate-local.yml
encrypt: {key: not-for-you}
auth: {clientSecret: not-for-you, passwords: 3, pin-password: 123456}
redis: {connection: 'redis://:not-for-you@redis:6379'}
job:
- env: [{name: GIT_TOKEN, value: not-for-you}]
# default/service-settings/igor.yml
env: {API_TOKEN: not-for-you}
""",
    ),
    Entry(
        id="secrets/public-default",
        severity=Severity.WARNING,
        summary="A secret is a default that is published with the ISD charts and repositories.",
        halyard="Halyard and the services use it unchanged.",
        impact="The secret is public and protects nothing.",
        fix="Rotate the secret, and replace it with a reference.",
        example="""\
# accounts/clouddriver-local.yml
docker-registry:
  accounts:
  - name: hub
    password: changeit
# default/profiles/gate-local.yml
server: {ssl: {keyStorePassword: changeit}}
""",
    ),
    Entry(
        id="trust/loads-plugin",
        severity=Severity.WARNING,
        summary="A service loads plug-ins that the repository names.",
        halyard="Halyard copies spinnaker.extensibility to every service, which downloads plug-ins and runs them.",
        impact="Whoever changes the repository can run programs with the credentials of the pod. An error with "
        "--deny-commands; no repository setting lowers it.",
        fix="Remove the plug-ins. An operator who trusts them permits them with --allow-plugins.",
        example="""\
# config
deploymentConfigurations:
- name: default
  spinnaker: {extensibility: {repositories: {ours: {url: 'https://plugins.example.com/plugins.json'}}}}
""",
    ),
    Entry(
        id="trust/reads-file",
        severity=Severity.WARNING,
        summary="A field makes Halyard or a service read a file of its own pod.",
        halyard="Halyard reads local files, and Clouddriver the files that a kubeconfig names, with the pod's rights.",
        impact="Whoever changes the repository can get at the credentials of the pod. An error with --deny-commands; "
        "no repository setting lowers it.",
        fix="Add the file to the tree, use a secret reference, or embed the data in the kubeconfig.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      accounts:
      - {name: hub, address: 'https://h.example', username: bot, passwordFile: /var/run/secrets/hub/password}
""",
    ),
    Entry(
        id="trust/runs-command",
        severity=Severity.WARNING,
        summary="A field makes Halyard or a service run a program.",
        halyard="Halyard runs passwordCommand with `bash -c` while it validates. Clouddriver runs kubeconfig exec "
        "plug-ins, gcloudPath and kubectlPath; services run the executables that their profiles name, and evaluate "
        "expressions (#{...}) in them. Options of the JVM and variables of the start script load code.",
        impact="Whoever changes the repository can run programs with the credentials of the pod. An error with "
        "--deny-commands; no repository setting lowers it.",
        fix="Use a secret reference, or a kubeconfig with a token or certificate. Otherwise ask the operator.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    dockerRegistry:
      accounts:
      - {name: hub, address: 'https://h.example', username: bot, passwordCommand: cat /tmp/password}
# default/profiles/rosco-local.yml
helm: {v3ExecutablePath: /tmp/helm}
# default/service-settings/gate.yml
env: {JAVA_OPTS: '-javaagent:/tmp/agent.jar'}
""",
    ),
)
