"""Findings of parameters and of the opsmx dialect."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="opsmx/bom",
        severity=Severity.ERROR,
        summary="The bom of an OpsMx repository has an invalid value, or an unknown or unused entry.",
        halyard="Halyard does not read the file; the predecessor's init script copies its values.",
        impact="The version or an image is not set.",
        fix="Write `version` and `services.<name>.image` as strings, for services that have service-settings.",
    ),
    Entry(
        id="opsmx/empty-token",
        severity=Severity.ERROR,
        summary="A token of the opsmx dialect has an empty value.",
        halyard="Halyard or a service would receive an empty string.",
        impact="The setting does not work.",
        fix="Set the parameter of that name.",
    ),
    Entry(
        id="opsmx/in-key",
        severity=Severity.ERROR,
        summary="A token is in a mapping key.",
        halyard="Halyard would receive the token itself as a key.",
        impact="The token is not replaced.",
        fix="Write the key out.",
    ),
    Entry(
        id="opsmx/misplaced-token",
        severity=Severity.WARNING,
        summary="A token is in a file in which the dialect does not replace it.",
        halyard="Halyard or a service receives the token itself.",
        impact="The setting does not work.",
        fix="Write the value out; the hint lists the files in which the token is replaced.",
    ),
    Entry(
        id="opsmx/misspelled-token",
        severity=Severity.WARNING,
        summary="A word looks like a token of the dialect, but is not one.",
        halyard="Halyard or a service receives the word itself.",
        impact="The setting does not work.",
        fix="Correct the spelling.",
    ),
    Entry(
        id="opsmx/no-private-key",
        severity=Severity.ERROR,
        summary="The variant `ssh` is selected, and `spinnakerconfig.yml` has no place for the private key.",
        halyard="The config server cannot clone the repository.",
        impact="Dynamic accounts are not loaded.",
        fix="Add an empty `privateKey`, or select another variant.",
    ),
    Entry(
        id="opsmx/open-token",
        severity=Severity.ERROR,
        summary="A token of the opsmx dialect has no value.",
        halyard="Halyard or a service would receive the token itself.",
        impact="The setting does not work.",
        fix="Set the parameter of that name.",
    ),
    Entry(
        id="parameter/environment",
        severity=Severity.ERROR,
        summary="A `HALGIT_PARAM_` variable cannot be used.",
        halyard="Halyard does not see parameters.",
        impact="The parameter has no value.",
        fix="Correct the variable; the message says what is wrong.",
    ),
    Entry(
        id="parameter/embedded",
        severity=Severity.ERROR,
        summary="A value of several lines does not fit into a string that is a YAML document.",
        halyard="The service would read another document, or none.",
        impact="The value would be cut, or the document broken.",
        fix="Put the parameter alone on a line below `key: |`, or in double quotes.",
    ),
    Entry(
        id="parameter/in-key",
        severity=Severity.ERROR,
        summary="A parameter is in a mapping key.",
        halyard="Halyard would receive the placeholder as a key.",
        impact="The parameter is not replaced.",
        fix="Write the key out.",
        example="""\
# default/profiles/gate-local.yml
${{ params.name }}: value
# halgit.yaml
params: {name: a}
""",
    ),
    Entry(
        id="parameter/in-pattern",
        severity=Severity.WARNING,
        summary="A parameter is inside a regular expression of a JavaScript file.",
        halyard="Halyard copies the file.",
        impact="Special characters of the value would be read as a pattern.",
        fix="Build the pattern from a string: `new RegExp('...')`.",
    ),
    Entry(
        id="parameter/joined-reference",
        severity=Severity.ERROR,
        summary="Text and parameters, or several parameters, would form a secret reference.",
        halyard="Halyard does not see parameters.",
        impact="Whoever sets the parameter could choose which secret is read.",
        fix="Write the whole reference as one value, or as the value of a parameter with `reference: true`.",
        example="""\
# default/profiles/gate-local.yml
password: encrypted:vault!e:secret!n:${{ params.environment }}/gate!k:password
# halgit.yaml
params: {environment: prod}
""",
        fatal=True,
    ),
    Entry(
        id="parameter/list-in-text",
        severity=Severity.ERROR,
        summary="A list parameter is used inside a string.",
        halyard="Halyard does not see parameters.",
        impact="The value cannot be inserted.",
        fix="Use the parameter as the whole unquoted value, or declare a string.",
        example="""\
# default/profiles/gate-local.yml
hosts: 'all of ${{ params.hosts }}'
# halgit.yaml
params: {hosts: [a, b]}
""",
    ),
    Entry(
        id="parameter/cycle",
        severity=Severity.ERROR,
        summary="The values of parameters use each other.",
        halyard="Halyard knows no parameters; halgit replaces them before.",
        impact="The parameters have no value.",
        fix="Write one of the values without a parameter.",
        example="# halgit.yaml\nparams:\n  a: ${{ params.b }}\n  b: ${{ params.a }}\n",
    ),
    Entry(
        id="parameter/no-value",
        severity=Severity.ERROR,
        summary="A parameter is used and has no value.",
        halyard="Halyard would receive the placeholder.",
        impact="The setting does not work.",
        fix="Set the parameter under `params`, by its `HALGIT_PARAM_` variable, or with `--set`.",
        example="""\
# default/profiles/gate-local.yml
host: ${{ params.host }}
# halgit.yaml
params: {host: {type: string}}
""",
    ),
    Entry(
        id="parameter/params-file",
        severity=Severity.ERROR,
        summary="A file of `--params` cannot be used.",
        halyard="Halyard does not see parameters.",
        impact="Its parameters have no value.",
        fix="Write `NAME: VALUE` lines.",
    ),
    Entry(
        id="parameter/redeclared",
        severity=Severity.ERROR,
        summary="Two layers declare the same parameter.",
        halyard="Halyard does not see parameters.",
        impact="It is undefined which declaration holds.",
        fix="Set a value without declaring the parameter again, or remove one declaration.",
    ),
    Entry(
        id="parameter/required",
        severity=Severity.ERROR,
        summary="A required parameter has no value.",
        halyard="Halyard would receive the placeholder.",
        impact="The setting does not work.",
        fix="Set the parameter under `params`, by its `HALGIT_PARAM_` variable, or with `--set`.",
        example="""\
# halgit.yaml
params: {host: {type: string, required: true}}
""",
    ),
    Entry(
        id="parameter/same-variable",
        severity=Severity.ERROR,
        summary="Two parameters would be set by the same `HALGIT_PARAM_` variable.",
        halyard="Halyard does not see parameters.",
        impact="The variable is ambiguous.",
        fix="Rename one of the parameters.",
        example="""\
# halgit.yaml
params:
  gateHost: {type: string, default: a}
  gate_host: {type: string, default: b}
""",
    ),
    Entry(
        id="parameter/reference",
        severity=Severity.ERROR,
        summary="The value of a parameter is a secret reference, and its declaration does not allow one.",
        halyard="Halyard does not see parameters.",
        impact="Whoever sets the parameter could choose which secret is read.",
        fix="Declare the parameter with `secret: true` or `reference: true`.",
        example="""\
# default/profiles/gate-local.yml
password: ${{ params.password }}
# halgit.yaml
params: {password: 'encrypted:vault!e:secret!n:gate!k:password'}
""",
        fatal=True,
    ),
    Entry(
        id="parameter/secret-in-arguments",
        severity=Severity.WARNING,
        summary="A secret parameter is set with `--set`.",
        halyard="Halyard does not see parameters.",
        impact="Every process on the machine can read the arguments of halgit.",
        fix="Use the `HALGIT_PARAM_..._FILE` variable, or a reference.",
    ),
    Entry(
        id="parameter/secret-in-browser",
        severity=Severity.ERROR,
        summary="A secret parameter is used in a file of Deck.",
        halyard="Deck serves the file to every browser.",
        impact="The secret becomes public.",
        fix="Remove the parameter from the file.",
        example="""\
# default/profiles/settings-local.js
window.spinnakerSettings.token = '${{ params.token }}';
# halgit.yaml
params: {token: {type: string, secret: true, default: 'encrypted:vault!e:secret!n:deck!k:token'}}
""",
    ),
    Entry(
        id="parameter/secret-in-plain-text",
        severity=Severity.WARNING,
        summary="The value of a secret parameter is in the repository in plain text.",
        halyard="Halyard does not see parameters.",
        impact="Everyone who can read the repository has the secret.",
        fix="Use a reference, or set the parameter from a file.",
    ),
    Entry(
        id="parameter/stray",
        severity=Severity.WARNING,
        summary="`${{` is not followed by a parameter.",
        halyard="Halyard or a service receives the text unchanged.",
        impact="The setting may not work.",
        fix="Write `${{ params.NAME }}`, or `$${{` for a literal `${{`.",
        example="""\
# default/profiles/gate-local.yml
value: '${{ name }}'
""",
    ),
    Entry(
        id="parameter/undeclared",
        severity=Severity.ERROR,
        summary="A parameter is used or set that no layer declares.",
        halyard="Halyard would receive the placeholder.",
        impact="The setting does not work.",
        fix="Declare the parameter under `params` in `halgit.yaml`, or correct the name.",
        example="""\
# default/profiles/gate-local.yml
host: ${{ params.host }}
""",
    ),
    Entry(
        id="parameter/unquoted-in-flow",
        severity=Severity.ERROR,
        summary="A parameter is unquoted inside `[...]` or `{...}`.",
        halyard="The braces are not valid YAML there.",
        impact="The file cannot be read.",
        fix="Quote the value, or put it on its own line.",
        example="""\
# default/profiles/gate-local.yml
server: {host: ${{ params.host }}}
# halgit.yaml
params: {host: a}
""",
    ),
    Entry(
        id="parameter/unused",
        severity=Severity.WARNING,
        summary="Nothing uses a parameter.",
        halyard="Halyard does not see parameters.",
        impact="The parameter has no effect, often because of a misspelled name.",
        fix="Use or remove the parameter.",
        example="""\
# halgit.yaml
params: {host: a}
""",
    ),
    Entry(
        id="parameter/value",
        severity=Severity.ERROR,
        summary="The value of a parameter does not fit its declaration.",
        halyard="Halyard does not see parameters.",
        impact="The parameter cannot be used.",
        fix="Set a value of the declared type.",
        example="""\
# halgit.yaml
params: {replicas: {type: integer, default: many}}
""",
    ),
)
