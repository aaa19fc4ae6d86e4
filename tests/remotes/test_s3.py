"""S3 as a source, against moto's server: listings, versions, refusals, and what changes while it is read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.aws import KEYS, Cloud, aws
from servers.relay import Answer, Crowd, Relay, Request, relay

from halgit.errors import CorruptError, NotFoundError, RefusedError, ThrottledError, UnreachableError, UsageError
from halgit.operator_settings import Access, PerHost, SourceSpec
from halgit.remotes.s3 import open_s3, read_address


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with aws() as running:
        yield running


@pytest.fixture(autouse=True)
def hang_up(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.hang_up()


FILES = {
    "hal/config": b"a: 1\n",
    "hal/default/profiles/gate-local.yml": b"b: 2\n",
    "hal/overlays/prod/config": b"c: 3\n",
    "hal/": b"",
    "halother/config": b"no",
    "outside": b"no",
}


def test_the_objects_below_a_prefix_are_its_files(cloud: Cloud) -> None:
    cloud.bucket("plain", FILES)
    snapshot = open_s3(SourceSpec("s3://plain/hal"), cloud.access())
    assert snapshot.paths == {"config", "default/profiles/gate-local.yml", "overlays/prod/config"}
    assert snapshot.read(["config", "overlays/prod/config"]) == {"config": b"a: 1\n", "overlays/prod/config": b"c: 3\n"}
    assert snapshot.read([]) == {}
    assert (snapshot.source.url, len(snapshot.source.revision)) == ("s3://plain/hal", 64)
    assert open_s3(SourceSpec("s3://plain/", path="hal/overlays/prod"), cloud.access()).paths == {"config"}


def test_the_revision_is_that_of_the_content(cloud: Cloud) -> None:
    cloud.bucket("revisions", {"config": b"one"})

    def revision() -> str:
        return open_s3(SourceSpec("s3://revisions"), cloud.access()).source.revision

    first = revision()
    assert revision() == first
    cloud.client("s3").put_object(Bucket="revisions", Key="config", Body=b"twofold")
    assert revision() != first


def test_the_revision_covers_no_etag_which_is_a_digest_of_the_content(cloud: Cloud) -> None:
    cloud.bucket("undigested", {"config": b"pin: 1234\n"})
    (listed,) = cloud.client("s3").list_objects_v2(Bucket="undigested")["Contents"]
    identity = f"config\0{listed['LastModified'].isoformat()} 10\n"
    revision = open_s3(SourceSpec("s3://undigested"), cloud.access()).source.revision
    assert revision == hashlib.sha256(identity.encode()).hexdigest()


def test_more_objects_than_a_page_holds(cloud: Cloud) -> None:
    cloud.bucket("many", {})
    cloud.fill("many", {f"files/{number:04}": b"%d" % number for number in range(1001)})
    snapshot = open_s3(SourceSpec("s3://many/files"), cloud.access())
    assert len(snapshot.paths) == 1001
    assert snapshot.read(["0000", "1000"]) == {"0000": b"0", "1000": b"1000"}


def test_sixteen_objects_are_read_at_once_and_never_more(cloud: Cloud) -> None:
    files = {f"k{number}": b"%d" % number for number in range(32)}
    cloud.bucket("crowded", files)
    with relay(cloud.url) as between:
        between.rule = crowd = Crowd(16, "/crowded/k")
        snapshot = open_s3(SourceSpec("s3://crowded"), cloud.access(between.url, retries=0))
        assert snapshot.read(files) == files
        assert crowd.most == 16


def test_a_point_in_time_is_read_as_it_was(cloud: Cloud) -> None:
    cloud.bucket("history", {"config": b"old", "gone": b"x"}, versions=True)
    s3 = cloud.client("s3")
    time.sleep(1.1)
    then = s3.list_object_versions(Bucket="history")["Versions"][0]["LastModified"]
    moment = then.isoformat().replace("+00:00", "Z")
    time.sleep(1.1)
    s3.put_object(Bucket="history", Key="config", Body=b"new")
    s3.put_object(Bucket="history", Key="added", Body=b"new")
    s3.delete_object(Bucket="history", Key="gone")
    old = open_s3(SourceSpec("s3://history", ref=_later(moment)), cloud.access())
    assert old.read(old.paths) == {"config": b"old", "gone": b"x"}
    now = open_s3(SourceSpec("s3://history", ref="2999-01-01T00:00:00+00:00"), cloud.access())
    assert now.read(now.paths) == {"config": b"new", "added": b"new"}
    assert old.source.ref == _later(moment)


def _later(moment: str) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(moment.replace("Z", "+00:00")) + timedelta(seconds=1)).isoformat()


def test_a_point_in_time_needs_versions(cloud: Cloud) -> None:
    cloud.bucket("versionless", {"config": b"x"})
    with pytest.raises(
        RefusedError, match=r"versioning is off for the bucket, so --ref cannot be a point in time\. Enable versioning"
    ):
        open_s3(SourceSpec("s3://versionless", ref="2026-01-01T00:00:00Z"), cloud.access())
    with pytest.raises(UsageError, match=r"--ref 2026-13-01T00:00:00Z is not a point in time\. Write it as"):
        open_s3(SourceSpec("s3://versionless", ref="2026-13-01T00:00:00Z"), cloud.access())


def test_a_list_of_versions_names_exactly_what_is_read(cloud: Cloud) -> None:
    cloud.bucket("listed", {"hal/config": b"first", "hal/other": b"x"}, versions=True)
    s3 = cloud.client("s3")
    version = s3.head_object(Bucket="listed", Key="hal/config")["VersionId"]
    s3.put_object(Bucket="listed", Key="hal/config", Body=b"second")
    s3.put_object(Bucket="listed", Key="hal/v1.json", Body=b'{"files": {"config": "%s"}}' % version.encode())
    snapshot = open_s3(SourceSpec("s3://listed/hal", ref="v1.json"), cloud.access())
    assert snapshot.read(snapshot.paths) == {"config": b"first"}
    s3.put_object(Bucket="listed", Key="hal/v2.json", Body=b"[]")
    with pytest.raises(CorruptError, match=r"--ref v2\.json is not a list of versions\. Write \{\"files\":"):
        open_s3(SourceSpec("s3://listed/hal", ref="v2.json"), cloud.access())
    with pytest.raises(NotFoundError, match=r"s3://listed/hal: v3\.json: not found"):
        open_s3(SourceSpec("s3://listed/hal", ref="v3.json"), cloud.access())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["a/../b"], "would leave the tree"),
        (["/config"], "would leave the tree"),
        (["a//b"], "would leave the tree"),
        (["a\\b"], "contains a backslash"),
        (["a\nb"], "contains a control character"),
        (["Config", "config"], "Config and config differ only in case"),
        (["a", "a/b"], "is both a file and a folder"),
    ],
)
def test_names_that_cannot_be_files_of_a_tree_are_refused(cloud: Cloud, keys: list[str], words: str) -> None:
    with relay(cloud.url) as between:
        between.rule = lambda request: _listing(keys) if "list-type=2" in request.path else None
        with pytest.raises(CorruptError) as caught:
            open_s3(SourceSpec("s3://bucket"), cloud.access(between.url))
        assert words in str(caught.value)


def _listing(keys: list[str], extra: str = "<IsTruncated>false</IsTruncated>") -> Answer:
    from xml.sax.saxutils import escape

    entries = "".join(
        f'<Contents><Key>{escape(key, {chr(10): "&#10;"})}</Key><ETag>"x"</ETag><Size>3</Size></Contents>'
        for key in keys
    )
    text = f'<?xml version="1.0"?><ListBucketResult>{extra}{entries}</ListBucketResult>'
    return Answer(200, text.encode(), {"Content-Type": "application/xml"})


def test_half_a_listing_is_no_listing(cloud: Cloud) -> None:
    with relay(cloud.url) as between:
        between.rule = lambda request: _listing(["config"], "<IsTruncated>true</IsTruncated>")
        with pytest.raises(CorruptError, match="the listing is incomplete"):
            open_s3(SourceSpec("s3://bucket"), cloud.access(between.url))
        between.rule = lambda request: Answer(
            200, b"<ListBucketResult><Contents><Key>a</Key>", {"Content-Type": "application/xml"}
        )
        with pytest.raises(
            UnreachableError, match=r"s3://bucket: the server failed or its response was cut short \(500\)\."
        ):
            open_s3(SourceSpec("s3://bucket"), cloud.access(between.url))


def test_a_listing_cut_on_the_way_is_asked_for_again(cloud: Cloud) -> None:
    cloud.bucket("cut", {"config": b"whole"})
    with relay(cloud.url) as between:
        between.rule = lambda request: Answer(200, b"<a>" * 99, cut=True) if len(between.seen) == 1 else None
        assert open_s3(SourceSpec("s3://cut"), cloud.access(between.url)).paths == {"config"}


def test_an_object_replaced_between_listing_and_reading_is_refused(cloud: Cloud) -> None:
    cloud.bucket("replaced", {"config": b"one", "other": b"x"})
    snapshot = open_s3(SourceSpec("s3://replaced"), cloud.access())
    cloud.client("s3").put_object(Bucket="replaced", Key="config", Body=b"two")
    with pytest.raises(CorruptError, match=r"s3://replaced: config changed while it was being read\. Run again\."):
        snapshot.read(["config"])
    with pytest.raises(CorruptError, match=r"s3://replaced: it changed while it was being read\. Run again\."):
        snapshot.read(["other"])
    cloud.client("s3").delete_object(Bucket="replaced", Key="other")
    with pytest.raises(CorruptError, match="other changed while it was being read"):
        snapshot.read(["other"])


def test_a_listing_of_many_pages_that_never_holds_still_is_refused(cloud: Cloud) -> None:
    cloud.bucket("restless", {f"k{number}": b"x" for number in range(5)})
    s3 = cloud.client("s3")

    def write(request: Request) -> None:
        if "continuation-token" in request.path:
            s3.put_object(Bucket="restless", Key="k0", Body=b"%d" % len(between.seen))

    with relay(cloud.url) as between:
        between.rewrite = lambda path: path + "&max-keys=3" if "list-type=2" in path else path
        between.after = write
        with pytest.raises(
            CorruptError, match=r"it changes while it is being listed\. Run again when nothing writes there\."
        ):
            open_s3(SourceSpec("s3://restless"), cloud.access(between.url))
        between.after = lambda request: write(request) if len(between.seen) < 16 else None
        assert len(open_s3(SourceSpec("s3://restless"), cloud.access(between.url)).paths) == 5


def test_content_that_does_not_fit_its_etag_is_refused(cloud: Cloud) -> None:
    cloud.bucket("mangled", {"config": b"right"})
    with relay(cloud.url) as between:
        between.change = lambda request, body: body.replace(b"right", b"wrong")
        snapshot = open_s3(SourceSpec("s3://mangled"), cloud.access(between.url))
        with pytest.raises(CorruptError, match="match its checksum"):
            snapshot.read(["config"])


def test_half_an_object_is_read_again_and_then_refused(cloud: Cloud) -> None:
    cloud.bucket("half", {"config": b"content"})

    def cut(request: Request) -> Answer | None:
        return Answer(200, b"content", {"ETag": '"x"'}, cut=True) if request.path.endswith("/config") else None

    with relay(cloud.url) as between:
        snapshot = open_s3(SourceSpec("s3://half"), cloud.access(between.url))
        between.rule = cut
        with pytest.raises(UnreachableError, match=r"s3://half: config: the response was cut short\."):
            snapshot.read(["config"])
        assert between.count("/config") == 2


def test_a_file_over_the_stated_size_is_refused_before_it_is_loaded(cloud: Cloud) -> None:
    cloud.bucket("large", {"config": b"x" * 100})
    snapshot = open_s3(SourceSpec("s3://large"), cloud.access(largest_file=10))
    with pytest.raises(CorruptError, match=r"s3://large: config has 100 bytes; the limit is 10."):
        snapshot.read(["config"])


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_patience_gets_it(cloud: Cloud, status: int) -> None:
    cloud.bucket(f"busy-{status}", {"config": b"x"})

    def busy(between: Relay, times: int) -> None:
        between.rule = lambda request: Answer(status, b"", {"Retry-After": "0"}) if len(between.seen) <= times else None

    with relay(cloud.url) as between:
        busy(between, 1)
        assert open_s3(SourceSpec(f"s3://busy-{status}"), cloud.access(between.url)).paths == {"config"}
    with relay(cloud.url) as between:
        busy(between, 9)
        with pytest.raises(ThrottledError, match="the server asks to retry later"):
            open_s3(SourceSpec(f"s3://busy-{status}"), cloud.access(between.url))
        assert len(between.seen) == 2


def test_missing_and_refused_are_told_apart(cloud: Cloud) -> None:
    with pytest.raises(NotFoundError, match=r"s3://nobodys: bucket nobodys not found. Check --repo and the region\."):
        open_s3(SourceSpec("s3://nobodys"), cloud.access())
    cloud.bucket("empty", {"elsewhere/config": b"x"})
    with pytest.raises(
        NotFoundError, match=r"s3://empty/hal, below x, contains no objects\. Check bucket, prefix and --path\."
    ):
        open_s3(SourceSpec("s3://empty/hal", path="x"), cloud.access())
    with relay(cloud.url) as between:
        between.rule = lambda request: Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        with pytest.raises(
            RefusedError, match=r"the server refused the request \(AccessDenied\)\. Grant the login this permission\."
        ):
            open_s3(SourceSpec("s3://empty"), cloud.access(between.url))


@pytest.mark.parametrize(
    ("profile", "asked"),
    [("", "http://store.example/styled?"), ("s3 =\n    addressing_style = virtual\n", "http://styled.store.example/?")],
)
def test_the_bucket_stands_in_the_path_of_an_endpoint_unless_the_profile_says_otherwise(
    cloud: Cloud, tmp_path: Path, profile: str, asked: str
) -> None:
    (tmp_path / "config").write_text(f"[default]\nregion = us-east-1\n{profile}")
    with relay(cloud.url) as proxy:
        proxy.rule = lambda request: _listing(["config"])
        environment = {**KEYS, "AWS_CONFIG_FILE": str(tmp_path / "config"), "HTTP_PROXY": proxy.url}
        access = Access(s3_endpoint=PerHost("http://store.example"), environment=environment)
        assert open_s3(SourceSpec("s3://styled"), access).paths == {"config"}
        assert proxy.seen[0].path.startswith(asked)
        access.cache.close()


def test_a_server_that_is_not_there(cloud: Cloud) -> None:
    with pytest.raises(UnreachableError, match=r"s3://plain: the server is unreachable\. Check the endpoint"):
        open_s3(SourceSpec("s3://plain"), cloud.access("http://127.0.0.1:9"))
    with relay(cloud.url) as between:
        between.after = lambda request: time.sleep(0.6)
        with pytest.raises(UnreachableError, match="the server did not respond in time"):
            open_s3(SourceSpec("s3://plain"), cloud.access(between.url, timeout=0.2, retries=0))


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "s3://a b/x", "s3://bucket:9000/x", "s3://user@bucket/x"])
def test_an_address_is_a_bucket_and_a_prefix(url: str) -> None:
    assert read_address("s3://bucket/a/b/") == ("bucket", "a/b")
    with pytest.raises(UsageError, match="An S3 source must be s3://bucket/prefix"):
        read_address(url)
