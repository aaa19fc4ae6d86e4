"""Which references of a tree are found: through data for YAML, through the text for the rest."""

from __future__ import annotations

from halgit.pipeline import MISSING, File, LayerId, SourceId, Value
from halgit.redaction import Secret, SecretText
from halgit.references import format_reference, list_occurrences, scan_files

LAYER = LayerId(".", SourceId("dir"))


def file(path: str, data: Value = MISSING, body: bytes | SecretText | None = None) -> File:
    return File(path, "copied", (LAYER,), data, body)


def found(*files: File) -> list[tuple[str, tuple[str | int, ...], str]]:
    listed = list_occurrences({each.path: each for each in files})
    return [(o.file, o.path, format_reference(o.found.reference)) for o in listed]


def test_yaml_is_searched_through_its_data_so_comments_and_keys_are_not() -> None:
    data = {"a": [{"b": "encrypted:s:k"}, "x"], "encrypted:c:d": 1, "e": None}
    body = b"# encrypted:comment:key\na: [{b: encrypted:s:k}, x]\n"
    assert found(file("config", data, body)) == [("config", ("a", 0, "b"), "k8s://s#k")]


def test_an_alias_is_listed_at_each_of_its_places() -> None:
    shared = {"p": "encrypted:s:k"}
    assert [path for _, path, _ in found(file("config", {"a": shared, "b": shared}))] == [("a", "p"), ("b", "p")]


def test_shared_nodes_without_references_cost_one_search_however_deep() -> None:
    node: Value = ["plain"]
    for _ in range(200):
        node = [node, node, node]
    assert found(file("config", node)) == []


def test_text_files_give_lines_and_binary_files_nothing() -> None:
    text = file("default/profiles/rosco/packer.json", body=b'{\n "a": "encrypted:s:k"\n}')
    binary = file("files/store.jks", body=b"\xfe\xedencrypted:s:k")
    (only,) = list_occurrences({text.path: text, binary.path: binary})
    assert (only.file, only.path, only.line) == (text.path, (), 2)


def test_secret_parameters_are_never_searched() -> None:
    secret = Secret("encrypted:hidden:key", "parameter x")
    data = {"a": secret, "b": SecretText(("redis://:encrypted:s:k@", secret, "/${{ secret('k8s://t#u') }}"))}
    result = scan_files({"config": file("config", data)})
    assert [(o.path, o.part, o.found.whole) for o in result.occurrences] == [(("b",), 0, False), (("b",), 2, False)]
    assert result.faults == []


def test_a_secret_parameter_cannot_be_a_part_of_a_reference() -> None:
    data = {"a": SecretText(("encrypted:vault!e:secret!k:pw!p:", Secret("x", "x")))}
    (fault,) = scan_files({"config": file("config", data)}).faults
    assert fault.reason == "the reference is malformed: it must not contain a secret parameter."


def test_a_woven_text_file_keeps_counting_lines() -> None:
    body = SecretText(("a=1\nb=", Secret("s", "s"), "\nc=encrypted:s:k\n"))
    (only,) = list_occurrences({"x.properties": file("x.properties", body=body)})
    assert (only.part, only.line) == (2, 3)


def test_faults_name_their_place() -> None:
    yml = file("config", {"a": {"b": "encrypted:k8s!n:x"}, "c": "see encrypted:s3!r:us-east-1!b:bucket!f:x"})
    text = file("x.json", body=b'\n{"a": "${{ secret(\'vault://x\') }}"}')
    faults = scan_files({"config": yml, "x.json": text}).faults
    assert [(f.file, f.path, f.line, f.misplaced) for f in faults] == [
        ("config", ("a", "b"), 0, False),
        ("config", ("c",), 0, True),
        ("x.json", (), 2, False),
    ]
    assert faults[1].reason.startswith("a reference of this form is decrypted only as the whole value")
