"""Git repositories as sources: one commit, read without a checkout, over https, ssh or from this machine.

    address      the URL forms git is given            login       token, key, certificates, proxies
    program      how git is run                        faults      git's words as our errors
    workplace    a private repository, and git in it   signatures  who signed the commit
    fetch        from a ref to a commit                snapshot    from a commit to files
    submodules   which of them may be fetched          contents    the objects of one commit

Servers and logins are the operator's; nothing in a repository is run or obeyed.
"""

from __future__ import annotations

from collections.abc import Callable

from halgit.operator_settings import Access, SourceSpec
from halgit.remotes.git.address import read_address
from halgit.remotes.git.fetch import fetch_tip, read_commit
from halgit.remotes.git.signatures import verify
from halgit.remotes.git.snapshot import GitSnapshot
from halgit.remotes.git.work_directory import WorkDirectory, running_programs


def open_git(spec: SourceSpec, access: Access) -> GitSnapshot:
    """The commit a ref names, as a snapshot; close it to remove what was fetched.

    Raises UsageError for a URL, ref or option that cannot be, and a RemoteError that begins with the URL for all else.
    """
    work_directory = WorkDirectory(read_address(spec.url), access)
    try:
        tip = fetch_tip(work_directory, spec.commit or spec.ref)
        if access.verify_signatures:
            verify(work_directory, tip, access.verify_signatures)
        return GitSnapshot(work_directory, tip, spec, access)
    except BaseException:
        work_directory.close()
        raise


class GitWatch:
    """Asks a server again and again for the commit of a ref: one `ls-remote` each time, and no fetch.

    `access` gives the logins as they are now.
    """

    def __init__(self, spec: SourceSpec, access: Callable[[], Access]) -> None:
        self._spec = spec
        self._access = access
        self._work_directory = WorkDirectory(read_address(spec.url), access())

    def revision(self) -> str:
        """The commit. Raises RemoteError, UsageError."""
        self._work_directory.log_in_again(self._access())
        return read_commit(self._work_directory, self._spec.ref)

    def close(self) -> None:
        """Remove the folder that git works in."""
        self._work_directory.close()


def stop_git(access: Access) -> None:
    """End every git that fetches with this access, in whatever thread; it cannot be used again."""
    running_programs(access).stop()
