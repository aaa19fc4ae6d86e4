"""What an operator sets to render the two repositories in the folder of shared data."""

from __future__ import annotations

VALUES = {
    "RELEASE_NAME": "isd",
    "SPINNAKER_NAMESPACE": "isd",
    "PROTOCOL": "https",
    "OVERRIDE_DECK_URL": "spin.example.com",
    "DYNAMIC_ACCOUNTS_REPO": "https://git.example.com/a/b&c.git",
    "GIT_USER": "some body",
    "DYN_ACCNT_CONFG_PATH": "/",
    "BRANCH": "KEYSTONE",
    "SERVICENOW_URL": "https://now.example.com",
    "JIRA_URL": "https://jira.example.com",
}
SECRETS = {
    "GIT_TOKEN": r"ab/cd&ef\gh ij",
    "KEY": "k/e&y",
    "SERVICENOW_BASE64_USR_PASSWD": "dXNlcjpwYXNzd29yZA==",
    "JIRA_BASE64_USR_PASSWD": "amlyYTpwYXNzd29yZA==",
}
