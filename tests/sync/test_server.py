"""What `halgit sync --listen` serves, and `halgit sync status` shows of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from pathlib import Path

import program
from servers.ports import free_port, wait_for
from sync_world import GATE, World, is_deployed, running, tree, until

SECRET = b"a secret of webhooks"


def ask(port: int, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of a request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_probes_metrics_status_and_webhooks(one: World, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    options = ("--listen", f"127.0.0.1:{port}", "--interval", "1000", "--webhook-secret-file", tmp_path / "secret")
    one.daemon.down = True
    with running(one, *options):
        wait_for(port)
        assert ask(port, "/livez") == (200, "ok\n")
        assert ask(port, "/readyz") == (503, "no pass has ended without a failure yet\n")
        one.daemon.down = False
        until(lambda: ask(port, "/readyz")[0] == 200)
        first = one.repository.git("rev-parse", "HEAD")
        status = json.loads(ask(port, "/status")[1])
        assert (status["synchronized"], status["deployedRevision"], status["error"]) == (True, first, None)
        second = one.repository.commit({GATE: "a: 2\n"})
        assert ask(port, "/webhook", b"{}")[0] == 401
        assert ask(port, "/webhook", b"{}", X_Gitlab_Token="wrong")[0] == 401
        signed = hmac.new(SECRET, b"{}", hashlib.sha256).hexdigest()
        assert ask(port, "/webhook", b"{}", X_Hub_Signature_256=f"sha256={signed}") == (202, "looking\n")
        until(lambda: is_deployed(one, b"a: 2\n"))
        until(lambda: json.loads(ask(port, "/status")[1])["deployedRevision"] == second)
        one.repository.commit(tree(zone="Mars/X"))
        ask(port, "/webhook", b"{}", X_Hub_Signature_256=f"sha256={signed}")
        until(lambda: json.loads(ask(port, "/status")[1])["error"])
        assert ask(port, "/readyz")[0] == 200  # what runs is not affected
        text = ask(port, "/metrics")[1]
        shown = program.halgit("sync", "status", "--address", f"http://127.0.0.1:{port}")
        as_json = program.halgit("sync", "status", "--address", f"http://127.0.0.1:{port}", "--format", "json")
    assert 'halgit_sync_failures_total{kind="validation"} 1.0' in text
    assert 'halgit_sync_deploys_total{state="succeeded"} 2.0' in text
    assert f'deployed="{second}"' in text
    assert "halgit_sync_synchronized 0.0" in text
    assert 'halgit_sync_step_seconds_count{step="render"} 3.0' in text
    assert shown.code == 0, shown.err
    assert shown.out.splitlines()[0] == "state      failed (validation)"
    assert f"deployed   {second[:12]} at " in shown.out
    assert "Mars/X" in shown.out
    assert as_json.json["error"]["kind"] == "validation"


def test_a_hold_is_no_reason_not_to_be_ready(one: World) -> None:
    port = free_port()
    with running(one, "--listen", f"127.0.0.1:{port}", "--plan-only"):
        wait_for(port)
        until(lambda: ask(port, "/readyz")[0] == 200)
        status = json.loads(ask(port, "/status")[1])
    assert (status["held"], status["synchronized"]) == ("--plan-only is set", False)
    assert not one.daemon.deploys


def test_an_address_that_is_not_free_ends_the_program(one: World) -> None:
    port = free_port()
    with running(one, "--listen", f"127.0.0.1:{port}"):
        wait_for(port)
        ran = program.halgit(*one.arguments("--listen", f"127.0.0.1:{port}"))
    assert ran.code == 2
    assert f"--listen: cannot listen at 127.0.0.1:{port}. Choose another address or port." in ran.err
    wrong = program.halgit(*one.arguments("--listen", "nonsense"))
    assert (wrong.code, "--listen nonsense is not HOST:PORT." in wrong.err) == (2, True)


def test_status_of_nothing_is_a_remote_error(one: World) -> None:
    ran = program.halgit("sync", "status", "--address", f"http://127.0.0.1:{free_port()}", "--retries", "0")
    assert ran.code == 3
    assert "sync at http://127.0.0.1:" in ran.err


def test_webhooks_can_have_an_address_of_their_own(one: World, tmp_path: Path) -> None:
    """Who sends them then reaches nothing else."""
    port, webhooks = free_port(), free_port()
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    listen = ("--listen", f"127.0.0.1:{port}", "--webhook-listen", f"127.0.0.1:{webhooks}")
    with running(one, *listen, "--interval", "1000", "--webhook-secret-file", tmp_path / "secret"):
        wait_for(webhooks)
        until(lambda: ask(port, "/readyz")[0] == 200)
        one.repository.commit({GATE: "a: 3\n"})
        signed = hmac.new(SECRET, b"{}", hashlib.sha256).hexdigest()
        assert ask(port, "/webhook", b"{}", X_Hub_Signature_256=f"sha256={signed}")[0] == 404
        assert [ask(webhooks, path)[0] for path in ("/metrics", "/status", "/livez")] == [404, 404, 404]
        assert ask(webhooks, "/webhook", b"{}", X_Hub_Signature_256=f"sha256={signed}") == (202, "looking\n")
        until(lambda: is_deployed(one, b"a: 3\n"))
