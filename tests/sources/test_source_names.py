"""What may stand after --repo, and what is refused without being repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import needs
import pytest

from halgit.errors import SourceError, UsageError
from halgit.operator_settings import Access, SourceSpec
from halgit.sources import open_source, parse_spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (".", SourceSpec(".")),
        ("/etc/halgit", SourceSpec("/etc/halgit")),
        ("../repo", SourceSpec("../repo")),
        ("repo@v1", SourceSpec("repo@v1")),
        ("what?", SourceSpec("what?")),
        ("what?now=1", SourceSpec("what?now=1")),
        ("repo?path=layers/prod", SourceSpec("repo", path="layers/prod")),
        ("https://git.example/a/b.git", SourceSpec("https://git.example/a/b.git")),
        ("https://git.example:8443/a?ref=main", SourceSpec("https://git.example:8443/a", "main")),
        ("https://git.example/a?ref=f/a%23b+c&path=x%20y", SourceSpec("https://git.example/a", "f/a#b+c", "x y")),
        ("https://git.example/a?path=x", SourceSpec("https://git.example/a", "", "x")),
        ("https://git.example/a?ref=&path=", SourceSpec("https://git.example/a")),
        ("ssh://git@git.example:7999/a/b.git?ref=v1", SourceSpec("ssh://git@git.example:7999/a/b.git", "v1")),
        ("ssh://git.example/a", SourceSpec("ssh://git.example/a")),
        ("git@git.example:a/b.git?ref=v1", SourceSpec("git@git.example:a/b.git", "v1")),
        ("git@[::1]:a", SourceSpec("git@[::1]:a")),
        ("file:///srv/git/repo?ref=v1", SourceSpec("file:///srv/git/repo", "v1")),
        ("http://localhost:8080/a", SourceSpec("http://localhost:8080/a")),
    ],
)  # fmt: skip
def test_known_forms(text: str, spec: SourceSpec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "--repo is empty. Use a directory, https://host/path, "),
        ("git://git.example/a", "Unsupported source scheme git://. Use a directory, https://host/path, "),
        ("ftp://git.example/a", "Unsupported source scheme ftp://."),
        ("ext::sh -c touch%20/tmp/x", "The transport ext:: runs programs and is not allowed."),
        ("fd::7", "The transport fd:: runs programs and is not allowed."),
        (
            "--upload-pack=x",
            "A source cannot begin with -; it may be a misplaced option. Write ./ before a directory name.",
        ),
        ("-u@host:path", "A source cannot begin with -"),
        ("https:/git.example/a", "The source looks like a URL without a scheme."),
        (
            "https://git.example",
            "The git URL for git.example does not name a repository. Write https://git.example/path.",
        ),
        ("https://git.example/a?branch=main", "A source URL accepts only ?ref=REF and path=DIR."),
        ("https://git.example/a?ref=a&ref=b", "A source URL has ref= twice. Remove one."),
        ("https://git.example/a?ref=%ff", "The ref= of a source URL is not UTF-8."),
        ("https://git.example/a#main", "A https://host/path URL cannot contain #. Write ?ref=REF&path=DIR instead."),
        ("https://git.example/a b", "A git URL contains a space or a control character."),
        ("https://git.example/a%0a\nb", "A git URL contains a space or a control character."),
        ("https://git.example:port/a", "A git URL has an invalid host or port."),
        ("https://git.example:0/a", "A git URL has an invalid host or port."),
        ("https://[::1/a", "A git URL has an invalid host or port."),
        ("https://-host/a", "A git URL has an invalid host name."),
        ("ssh://git@-oProxyCommand=x/a", "A git URL has an invalid host name."),
        ("git@-oProxyCommand=x:a", "A git URL has an invalid host name."),
        ("git@git.example:", "The git URL for git.example does not name a repository. Write git@host:path."),
        ("git@git.example:-x", "The git URL for git.example does not name a repository."),
        ("file://elsewhere/a", "A file URL cannot name a host; this one names elsewhere. Write file:///path."),
    ],
)
def test_what_is_no_source(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:S3CRET@git.example/a",
        "https://S3CRET@git.example/a",
        "https://S3CRET:x-oauth-basic@git.example/a",
        "https://S3CRET@git.example:port/a",
        "HTTPS://user:S3CRET@git.example/a?ref=main",
        "https:/S3CRET@git.example/a",
        "http://S3CRET@localhost/a",
        "file://S3CRET@/a",
        "ssh://git:S3CRET@git.example/a",
        "ssh://S3CRETS3CRETS3CRETS3CRETS3CRETS3CRET@git.example/a",
        "S3CRETS3CRETS3CRETS3CRETS3CRETS3CRET@git.example:a",
        "git:S3CRET@git.example:a",
        "user:S3CRET@git.example/a",
        "S3CRET@git.example/a",
        "https://git.example/a?private_token=S3CRET",
        "https://git.example/a#S3CRET",
        "s3cr://S3CRET@bucket/prefix",
    ],
)
def test_a_login_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    assert "S3CRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_login_is_refused_with_the_next_step() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("ssh://git:S3CRET@git.example/a")
    assert str(caught.value) == (
        "The URL for git.example contains credentials; URLs appear in logs and process lists. "
        "Remove them and use --git-user with --git-token-file, or --ssh-key-file."
    )
    with pytest.raises(UsageError) as caught:
        parse_spec("https://S3CRET@git.example/a")
    assert str(caught.value) == (
        "This https:// URL contains credentials; URLs appear in logs and process lists. "
        "Remove them and set credentials with options, files or the environment."
    )


@pytest.mark.parametrize("path", ["..", "a/../..", "/etc", "a/../b"])
def test_a_path_that_leaves_is_refused(path: str, tmp_path: Path, access: Callable[..., Access]) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(SourceSpec(str(tmp_path), path=path), access())
    assert str(caught.value) == f"--path {path} leaves the source. Use a folder below the source's root."


def test_a_directory_has_no_ref_and_no_signature(tmp_path: Path, access: Callable[..., Access]) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(SourceSpec(str(tmp_path), ref="main"), access())
    assert str(caught.value) == (f"{tmp_path}: a directory has no ref main. Omit --ref, or use a file:// URL.")
    with pytest.raises(UsageError) as caught:
        open_source(SourceSpec(str(tmp_path)), access(verify_signatures="keys"))
    assert str(caught.value) == (
        f"{tmp_path}: a directory has no signatures to verify. Omit --verify-signatures, or use a git source."
    )


NO_REFS = (
    "-x",
    "--upload-pack=x",
    "a b",
    "a..b",
    "a:b",
    "a~1",
    "a^",
    "refs/heads/*",
    "@",
    "@{1}",
    "a.lock",
    "/a",
    "a\nb",
)


@pytest.mark.parametrize("ref", NO_REFS)
def test_a_ref_that_can_be_none_is_refused(ref: str, access: Callable[..., Access]) -> None:
    needs.program("git", "git")
    with pytest.raises(UsageError) as caught:
        open_source(SourceSpec("file:///nowhere", ref), access())
    assert (
        str(caught.value)
        == f"--ref {ref!r} is not a valid branch or tag name. Use a branch, a tag or a full commit id."
    )


def test_what_a_remote_says_becomes_a_source_error(tmp_path: Path, access: Callable[..., Access]) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(parse_spec(f"{tmp_path}/nowhere"), access())
    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        f"{tmp_path}/nowhere: the directory does not exist. Name a directory, or a URL of git, S3 or Vault."
    )
