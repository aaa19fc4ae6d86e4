"""Findings of `halgit.yaml`, of waivers, and of a halconfig that is missing."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="config/manifest",
        severity=Severity.ERROR,
        fatal=True,
        summary="config is a Kubernetes manifest.",
        halyard="Halyard ignores every key of a manifest and takes a new default halconfig.",
        impact="Halyard would deploy an empty Spinnaker.",
        fix="Convert a SpinnakerService with `halgit import`, or write the halconfig.",
        example="# config\napiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\n",
    ),
    Entry(
        id="config/empty",
        severity=Severity.ERROR,
        fatal=True,
        summary="The halconfig is empty.",
        halyard="Halyard creates a new default halconfig and reports nothing (`HalconfigParser`).",
        impact="Halyard would deploy an empty Spinnaker.",
        fix="Fill the file, or check `--path` and `--overlay`.",
    ),
    Entry(
        id="config/missing",
        severity=Severity.ERROR,
        fatal=True,
        summary="The rendered tree has no halconfig.",
        halyard="Halyard creates a new default halconfig and reports nothing (`HalconfigParser`).",
        impact="Halyard would deploy an empty Spinnaker.",
        fix="Add the halconfig as a file named `config`, or check `--path` and `--overlay`.",
    ),
    Entry(
        id="config/no-deployment",
        severity=Severity.ERROR,
        fatal=True,
        summary="The halconfig has no deployment of the configured name.",
        halyard="Halyard creates an empty deployment of that name.",
        impact="Halyard would deploy an empty Spinnaker.",
        fix="Set `deployment` in the root `halgit.yaml`, or correct `deploymentConfigurations`.",
        example="""\
# halgit.yaml
deployment: missing
""",
    ),
    Entry(
        id="settings/include-nothing",
        severity=Severity.WARNING,
        summary="An `include` pattern does not match any file.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The intended file is not in the tree.",
        fix="Correct or remove the pattern.",
        example="""\
# halgit.yaml
include: ['files/**']
""",
    ),
    Entry(
        id="settings/no-such-rule",
        severity=Severity.WARNING,
        summary="`rules` in `halgit.yaml` names an unknown rule.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The setting has no effect.",
        fix="Correct the id; `halgit rules` lists all of them.",
        example="""\
# halgit.yaml
rules: {ignore: [accounts/nameless]}
""",
    ),
    Entry(
        id="settings/operator",
        severity=Severity.ERROR,
        summary="`halgit.yaml` contains a setting that only the operator may set.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The setting is refused: a repository must not widen what the operator allows.",
        fix="Set the option where halgit runs.",
        example="""\
# halgit.yaml
allowEngine: [file]
""",
    ),
    Entry(
        id="settings/parameter-name",
        severity=Severity.ERROR,
        summary="A parameter has an invalid name.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The parameter cannot be used.",
        fix="Use letters, digits and underscores, beginning with a letter.",
        example="""\
# halgit.yaml
params:
  my name: value
""",
    ),
    Entry(
        id="settings/path",
        severity=Severity.ERROR,
        summary="A path in `halgit.yaml` leaves the layer.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="halgit does not read or remove files outside the layer.",
        fix="Use a path inside the layer.",
        example="""\
# halgit.yaml
remove: [../config]
""",
    ),
    Entry(
        id="settings/pattern",
        severity=Severity.ERROR,
        summary="The `pattern` of a parameter is not a valid regular expression.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="Values of the parameter cannot be checked.",
        fix="Correct the pattern.",
        example="""\
# halgit.yaml
params:
  host: {type: string, pattern: '[a-z'}
""",
    ),
    Entry(
        id="settings/root-only",
        severity=Severity.ERROR,
        summary="A key is allowed only in the root `halgit.yaml`.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The setting has no effect in this layer.",
        fix="Move the key to the root `halgit.yaml`.",
    ),
    Entry(
        id="settings/type",
        severity=Severity.ERROR,
        summary="A value in `halgit.yaml` has the wrong type.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The setting cannot be used.",
        fix="Write a value of the expected type.",
        example="""\
# halgit.yaml
bases: base
# default/profiles/gate-local.yml
server: {port: 8084}
""",
    ),
    Entry(
        id="settings/unknown-key",
        severity=Severity.ERROR,
        summary="`halgit.yaml` has an unknown key.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The setting has no effect, often because of a misspelled key.",
        fix="Correct or remove the key.",
        example="""\
# halgit.yaml
parameters: {a: b}
""",
    ),
    Entry(
        id="settings/value",
        severity=Severity.ERROR,
        summary="A value in `halgit.yaml` is not allowed.",
        halyard="Halyard does not read `halgit.yaml`.",
        impact="The setting cannot be used.",
        fix="Use one of the allowed values.",
        example="""\
# halgit.yaml
dialect: other
""",
    ),
    Entry(
        id="waiver/no-reason",
        severity=Severity.WARNING,
        summary="A waiver has no reason.",
        halyard="Halyard does not read waivers.",
        impact="The waiver is not applied.",
        fix="Add the reason after the rule.",
        example="""\
# default/profiles/gate-local.yml
password: hunter2-hunter2 # halgit: ignore=secrets/plain-text
""",
    ),
    Entry(
        id="waiver/unused",
        severity=Severity.INFO,
        summary="A waiver does not match any finding.",
        halyard="Halyard does not read waivers.",
        impact="The waiver hides nothing; it is out of date or names the wrong rule.",
        fix="Remove the waiver, or correct the rule.",
        example="""\
# default/profiles/gate-local.yml
server: {port: 8084} # halgit: ignore=secrets/plain-text not needed
""",
    ),
)
