"""Findings of the merge and of patches."""

from __future__ import annotations

from halgit.catalog.entry import Entry
from halgit.pipeline import Severity

ENTRIES = (
    Entry(
        id="export/schema",
        severity=Severity.ERROR,
        summary="An export does not fit the schema of its target.",
        halyard="Halyard is not involved. The operator's Halyard refuses unknown keys of a resource; kleat drops them.",
        impact="The exported Spinnaker would not start, or would miss a setting.",
        fix="Correct the value in its layer, or export with `--no-validate`.",
        late=True,
    ),
    Entry(
        id="merge/base-cycle",
        severity=Severity.ERROR,
        fatal=True,
        summary="The bases of a layer lead back to the layer itself.",
        halyard="Halyard does not see layers.",
        impact="The layers have no order, so nothing can be merged.",
        fix="Remove one of the bases.",
    ),
    Entry(
        id="merge/base-missing",
        severity=Severity.ERROR,
        fatal=True,
        summary="A base directory contains no file.",
        halyard="Halyard does not see layers.",
        impact="Everything the base should provide is missing from the tree.",
        fix="Correct the path; it is relative to the directory of this `halgit.yaml`.",
        example="""\
# halgit.yaml
bases: [../missing]
# default/profiles/gate-local.yml
server: {port: 8084}
""",
    ),
    Entry(
        id="merge/base-outside",
        severity=Severity.ERROR,
        fatal=True,
        summary="A base is outside the root of the source.",
        halyard="Halyard does not see layers.",
        impact="halgit does not read outside the source.",
        fix="Use a path inside the source, or set the root with `--path`.",
        example="""\
# halgit.yaml
bases: [../../../outside]
# default/profiles/gate-local.yml
server: {port: 8084}
""",
    ),
    Entry(
        id="merge/deletes-nothing",
        severity=Severity.ERROR,
        summary="A deletion does not match anything in the layers below.",
        halyard="Halyard does not see the deletion.",
        impact="The intended change does not happen, often because of a misspelled name.",
        fix="Correct the name, or remove the deletion.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - name: spinaker
        $patch: delete
""",
    ),
    Entry(
        id="merge/duplicate-item",
        severity=Severity.ERROR,
        summary="Two items of a keyed list have the same key.",
        halyard="Halyard refuses duplicate account names; other readers use one of the two items.",
        impact="It is undefined which item takes effect.",
        fix="Give one of them another key, or remove it.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - {name: prod, serviceAccount: true}
      - {name: prod, serviceAccount: true}
""",
    ),
    Entry(
        id="merge/empty-list",
        severity=Severity.WARNING,
        summary="An empty list is merged into a keyed list and changes nothing.",
        halyard="Halyard receives the items of the layers below.",
        impact="The list is not emptied.",
        fix="Use `- $list: replace` to empty the list, or remove the key.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts: []
""",
    ),
    Entry(
        id="merge/item-without-key",
        severity=Severity.ERROR,
        summary="An item of a keyed list has no key.",
        halyard="Halyard does not see layers.",
        impact="halgit cannot match the item with one of the layers below.",
        fix="Add the key, or begin the list with `- $list: replace`.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers:
    kubernetes:
      accounts:
      - context: prod
""",
    ),
    Entry(
        id="merge/misplaced-directive",
        severity=Severity.ERROR,
        summary="A `$patch`, `$list` or `$value` directive is in a place where it has no meaning.",
        halyard="Halyard would refuse the directive as an unknown key.",
        impact="The directive is not applied.",
        fix="Move or remove the directive.",
        example="""\
# config
deploymentConfigurations:
- name: default
  $patch: delete
  version: 1.36.1
""",
    ),
    Entry(
        id="merge/named-list",
        severity=Severity.ERROR,
        summary="A list of named items would be replaced.",
        halyard="Halyard does not see layers.",
        impact="Items of the layers below would be lost silently.",
        fix="Begin the list with `- $list: replace` if that is intended, or declare its key under `mergeKeys`.",
    ),
    Entry(
        id="merge/no-key",
        severity=Severity.ERROR,
        summary="A list has a merge directive but no known key.",
        halyard="Halyard does not see layers.",
        impact="halgit cannot match the items.",
        fix="Declare the key under `mergeKeys` in `halgit.yaml`.",
    ),
    Entry(
        id="merge/other-kind",
        severity=Severity.ERROR,
        summary="A mapping, list or scalar replaces a value of another kind.",
        halyard="Halyard would receive only the new value.",
        impact="Everything below the old value would be lost silently.",
        fix="Add `$patch: replace` if that is intended.",
        example="""\
# config
deploymentConfigurations:
- name: default
  providers: none
""",
    ),
    Entry(
        id="merge/removes-nothing",
        severity=Severity.ERROR,
        summary="`remove` names a file that no lower layer has.",
        halyard="Halyard does not see layers.",
        impact="The intended file stays in the tree.",
        fix="Correct the path, or remove the entry.",
        example="""\
# halgit.yaml
remove: [default/profiles/missing.yml]
""",
    ),
    Entry(
        id="merge/several-documents",
        severity=Severity.ERROR,
        summary="A file of several YAML documents would be merged.",
        halyard="Spring reads such a profile document by document; there is no defined merge.",
        impact="halgit does not merge the file.",
        fix="Name the file under `remove` in this layer's `halgit.yaml` to replace it.",
    ),
    Entry(
        id="merge/two-spellings",
        severity=Severity.ERROR,
        summary="Two layers spell one Spring property in different ways.",
        halyard="Spring binds both spellings to one property; which value takes effect is not obvious.",
        impact="The override may have no effect.",
        fix="Use the spelling of the lower layer.",
    ),
    Entry(
        id="merge/unknown-directive",
        severity=Severity.ERROR,
        summary="A directive or its value is unknown.",
        halyard="Halyard would refuse the directive as an unknown key.",
        impact="The directive is not applied.",
        fix="Use `$patch: delete`, `replace` or `merge`, or `$list: append`, `prepend`, `replace` or `merge`.",
        example="""\
# config
deploymentConfigurations:
- name: default
  $patch: remove
""",
    ),
    Entry(
        id="patch/ambiguous",
        severity=Severity.ERROR,
        summary="A path of a patch matches several items.",
        halyard="Halyard does not see patches.",
        impact="The operation is not applied.",
        fix="Select one item by another key, or by its position.",
    ),
    Entry(
        id="patch/malformed",
        severity=Severity.ERROR,
        summary="An operation of a patch is invalid.",
        halyard="Halyard does not see patches.",
        impact="The operation is not applied.",
        fix="Correct the operation.",
        example="""\
# halgit.yaml
patches:
- target: config
  ops: [{op: remove, path: ''}]
""",
    ),
    Entry(
        id="patch/no-match",
        severity=Severity.ERROR,
        summary="A path of a patch does not match anything.",
        halyard="Halyard does not see patches.",
        impact="The intended change does not happen.",
        fix="Correct the path, or set `optional: true` on the patch.",
        example="""\
# halgit.yaml
patches:
- target: config
  ops: [{op: remove, path: /deploymentConfigurations/0/missing}]
""",
    ),
    Entry(
        id="patch/no-target",
        severity=Severity.ERROR,
        summary="No layer has the file that a patch targets.",
        halyard="Halyard does not see patches.",
        impact="The intended change does not happen.",
        fix="Correct the path, or remove the patch.",
        example="""\
# halgit.yaml
patches:
- target: default/profiles/missing-local.yml
  ops: [{op: add, path: /a, value: 1}]
""",
    ),
    Entry(
        id="patch/not-merged",
        severity=Severity.ERROR,
        summary="A patch targets a file that is not the halconfig, a profile or service-settings.",
        halyard="Halyard does not see patches.",
        impact="The patch is not applied.",
        fix="Put the whole file into this layer.",
    ),
    Entry(
        id="patch/several-documents",
        severity=Severity.ERROR,
        summary="A patch targets a file of several YAML documents.",
        halyard="Halyard does not see patches.",
        impact="The patch is not applied.",
        fix="Put the whole file into this layer, and name it under `remove`.",
    ),
    Entry(
        id="patch/test-failed",
        severity=Severity.ERROR,
        summary="A `test` operation of a patch fails.",
        halyard="Halyard does not see patches.",
        impact="The rest of the patch is not applied.",
        fix="Correct the test, or the value it checks.",
        example="""\
# halgit.yaml
patches:
- target: config
  ops: [{op: test, path: /currentDeployment, value: other}]
""",
    ),
)
