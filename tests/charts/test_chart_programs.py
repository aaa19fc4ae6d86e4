"""What containers run, run for real: the charts' small programs, and nginx, Redis, PostgreSQL and slapd of Debian."""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import needs
import pytest
import yaml
from charts_pods import NAME, Pod
from charts_values import CHARTS, CI
from servers import ports
from servers.json_http import serving
from servers.ports import free_port, wait_for

Object = dict[str, Any]


def test_opa_is_given_its_policies_when_it_has_none(tmp_path: Path) -> None:
    policy = {"policyId": 7, "policyName": "Black out", "rego": "package x"}
    kept: list[Any] = []
    full = threading.Event()

    def sapor(method: str, path: str, body: Any) -> Any:
        if path == "/oes/v1/policies/list":
            return [{"policyName": "Black out"}]
        if (method, path) == ("GET", "/oes/v1/policy/Black%20out"):
            return {"response": policy}
        if (method, path) == ("PUT", "/oes/v1/policy/7"):
            kept.append(body)
            full.set()
            return {}
        return None

    def opa(method: str, path: str, body: Any) -> Any:
        return {"result": kept} if path == "/v1/policies" else None

    script = CHARTS / "opa" / "files" / "refill.py"
    with serving(sapor) as one, serving(opa) as two:
        running = subprocess.Popen([sys.executable, script, one, two, "admin", "0.05"], stdout=subprocess.PIPE)
        try:
            assert full.wait(30)
            assert running.stdout is not None
            said = running.stdout.readline().decode()
        finally:
            running.terminate()
            running.communicate()
    assert kept == [{"policyName": "Black out", "rego": "package x"}]
    assert said == "sent 1 policies to OPA\n"


def test_datascience_reads_credentials_as_they_are(render: Callable[..., list[Object]], tmp_path: Path) -> None:
    objects = render("datascience", {"global": {"trial": True}})
    spec = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    files = next(one for one in objects if one["kind"] == "ConfigMap")["data"]
    (tmp_path / "templates").mkdir()
    (tmp_path / "filled").mkdir()
    for name, text in files.items():
        (tmp_path / "templates" / name).write_text(text)
    code = spec["initContainers"][0]["command"][2].replace('"/', f'"{tmp_path}/')
    env = {row["name"]: f"it's ${{{row['name']}}}" for row in spec["initContainers"][0]["env"]}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    filled = (tmp_path / "filled" / "credentials").read_text()
    assert "aws_secret_access_key = it's ${OBJECT_STORE_SECRET_KEY}" in filled
    assert "it's ${DB_PASSWORD}" in (tmp_path / "filled" / "app_config.yaml").read_text()


def test_the_pod_of_helm_test_connects_to_each_port(render: Callable[..., list[Object]]) -> None:
    pod = next(one for one in render("oes-redis", {"global": {"tests": {"enabled": True}}}) if one["kind"] == "Pod")
    container = pod["spec"]["containers"][0]
    assert container["args"] == ["isd-oes-redis:6379"]
    command = [sys.executable, *container["command"][1:]]
    with serving(lambda method, path, body: {}) as address:
        done = subprocess.run([*command, address.removeprefix("http://")], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith(" answers\n")
    closed = f"127.0.0.1:{ports.free_port()}"
    assert subprocess.run([*command, closed], capture_output=True, check=False).returncode != 0


def serve(pod: Pod, name: str, values: Mapping[str, str], **more: str) -> subprocess.Popen[bytes]:
    """Start a container's own command, with its mounts below the pod's root; `values` replace parts of it."""
    container = pod.container(name)
    pod.mount(container)
    command = [*container["command"], *container.get("args", [])]
    for path, place in values.items():
        command = [text.replace(path, place) for text in command]
    env = {**pod.environment(container), **more}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def a_pod(objects: list[Object], root: Path, secrets: dict[str, dict[str, str]]) -> Pod:
    """The one workload of these objects, with its config map and these Secrets."""
    workload = next(one for one in objects if one["kind"] in ("Deployment", "StatefulSet"))
    maps = {one["metadata"]["name"]: dict(one["data"]) for one in objects if one["kind"] == "ConfigMap"}
    return Pod(workload["spec"]["template"]["spec"], root, {**maps, **secrets})


def test_redis_is_the_first_process_and_saves_when_it_is_stopped(
    render: Callable[..., list[Object]], tmp_path: Path
) -> None:
    """The shell is replaced by Redis, so SIGTERM reaches it; the password has every character that its file quotes."""
    needs.program("redis-server", "redis-server")
    password, port = 'with "quotes", # and \\ spaces', free_port()
    pod = a_pod(render("oes-redis"), tmp_path, {"isd-redis": {"password": password}})
    moved = {"/etc/redis/": f"{tmp_path}/etc/redis/", "redis-server -": f"redis-server - --port {port}"}
    file = pod.objects["isd-oes-redis"]
    file["redis.conf"] = file["redis.conf"].replace("/data", str(tmp_path / "data"))
    env = {**os.environ, "REDISCLI_AUTH": password}

    def ask(*words: str) -> str:
        command = ["redis-cli", "-p", str(port), *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()

    for round_ in range(2):
        running = serve(pod, "oes-redis", moved)
        try:
            wait_for(port, running)
            assert (Path("/proc") / str(running.pid) / "comm").read_text().strip() == "redis-server"
            assert password not in (Path("/proc") / str(running.pid) / "cmdline").read_text()
            assert ask("get", "key") == ("value" if round_ else "")
            assert ask("set", "key", "value") == "OK"
        finally:
            running.terminate()
            text = running.communicate()[0].decode()
    assert "DB saved on disk" in text
    assert running.returncode == 0


def test_the_directory_of_trials_lets_users_in_and_admin_is_in_the_admin_group(
    render: Callable[..., list[Object]], tmp_path: Path
) -> None:
    """As Gate does it: bind as the pattern says, then look for the user's groups as the manager."""
    needs.program("slapd", "slapd")
    needs.program("ldapsearch", "ldap-utils")
    port, password = free_port(), "a password/with&signs"
    objects = render("isd", CI["trial"])
    own = [one for one in objects if one["metadata"]["labels"][NAME] == "openldap"]
    pod = a_pod(own, tmp_path, {"isd-ldap": {"password": password}})
    moved = {path: f"{tmp_path}{path}" for path in ("/etc/isd/ldap", "/var/lib/isd-ldap")}
    gate = gate_settings(objects)["ldap"]
    running = serve(pod, "openldap", moved, LDAP_PORT=str(port))
    try:
        wait_for(port, running)

        def search(name: str, secret: str, base: str, text: str) -> str:
            command = ["ldapsearch", "-x", "-LLL", "-H", f"ldap://127.0.0.1:{port}", "-D", name, "-w", secret]
            done = subprocess.run([*command, "-b", base, text, "cn"], capture_output=True, text=True, check=False)
            return done.stdout if done.returncode == 0 else f"refused {done.returncode}"

        for user in ("admin", "user1"):
            name = gate["userDnPattern"].replace("{0}", user)
            assert f"cn: {user}" in search(name, password, name, "(objectClass=*)")
            assert search(name, "another", name, "(objectClass=*)") == "refused 49"
            text = "(" + gate["groupSearchFilter"].replace("{0}", name) + ")"
            groups = search(gate["managerDn"], password, gate["groupSearchBase"], text)
            assert ("cn: admin\n" in groups) == (user == "admin")
    finally:
        running.terminate()
        running.communicate()


def gate_settings(objects: list[Object]) -> Object:
    data = next(
        one["data"] for one in objects if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "isd-oes-gate"
    )
    loaded: Object = yaml.safe_load(data["gate.yml"])
    return loaded


def test_postgres_creates_the_databases_with_the_rendered_file(
    render: Callable[..., list[Object]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The image's entry point feeds the file to psql; here psql gets it from a server of Debian's."""
    binaries = needs.folder("/usr/lib/postgresql/*/bin", "postgresql")
    pod = a_pod(render("oes-db"), tmp_path, {"isd-database": {"username": "postgres", "password": "a-password"}})
    data, port = Path(tempfile.mkdtemp(prefix="isd-db-")), free_port()
    request.addfinalizer(lambda: shutil.rmtree(data))
    as_user: list[str] = []
    if os.getuid() == 0:
        shutil.chown(data, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    run = functools.partial(subprocess.run, check=True, capture_output=True, text=True, cwd="/")
    run([*as_user, binaries / "initdb", "--no-sync", "--username=postgres", "--auth=trust", "-D", data])
    server = subprocess.Popen(
        [*as_user, binaries / "postgres", "-D", data, "-p", str(port), "-k", data, "-F"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        wait_for(port, server)
        psql = [
            "psql",
            "--host=127.0.0.1",
            f"--port={port}",
            "--username=postgres",
            "--no-psqlrc",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        ready = pod.container("oes-db")["readinessProbe"]["exec"]["command"]
        env = {**os.environ, "POSTGRES_USER": "postgres", "PGPORT": str(port)}
        assert wait_until(lambda: subprocess.run(ready, env=env, capture_output=True, check=False).returncode == 0)
        subprocess.run([*psql, "--file=-"], input=pod.objects["isd-oes-db"]["databases.sql"], text=True, check=True)
        listed = run([*psql, "--tuples-only", "--no-align", "-c", "select datname from pg_database"]).stdout.split()
    finally:
        server.terminate()
        server.wait(30)
    assert {"opsmx", "oesdb", "platformdb", "visibilitydb", "auditdb", "autopilotqueue"} <= set(listed)


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False


@contextmanager
def name_server(names: dict[str, str]) -> Iterator[int]:
    """A DNS server on loopback that knows these names, and says of others that they do not exist."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            query, sock = self.request
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += query[at] + 1
            kind, address = query[at + 1 : at + 3], names.get(".".join(labels))
            found = address is not None and kind == b"\0\1"
            code = b"\x81\x80" if address is not None else b"\x81\x83"
            reply = query[:2] + code + b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0" + query[12 : at + 5]
            if found and address is not None:
                reply += b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(address)
            sock.sendto(reply, self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@pytest.fixture
def interface(render: Callable[..., list[Object]], tmp_path: Path) -> Pod:
    """The user interface's pod, its nginx paths below the test's folder, after its init container."""
    needs.program("nginx", "nginx-light")
    pod = a_pod(render("oes-ui"), tmp_path, {})
    for name in ("resolver", "oes-ui"):
        pod.mount(pod.container(name))
    (tmp_path / "etc" / "resolv.conf").write_text("search a b\nnameserver 127.0.0.1\nnameserver fd00::10\n")
    init = pod.container("resolver")
    code, arguments = init["command"][2], [f"{tmp_path}{path}" for path in init["args"]]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    folder = tmp_path / "etc" / "isd" / "nginx"
    assert (folder / "resolver.conf").read_text() == "resolver 127.0.0.1 [fd00::10] valid=10s;\n"
    return pod


def nginx(pod: Pod, port: int, dns: int, upstream: int) -> Path:
    """The rendered nginx.conf with what a cluster gives: folders, its port, its DNS, and the ports of the upstreams."""
    root = pod.root
    folder = root / "etc" / "isd" / "nginx"
    (folder / "listen.conf").write_text("")
    (folder / "resolver.conf").write_text(f"resolver 127.0.0.1:{dns} valid=1s ipv6=off;\n")
    (root / "var" / "www" / "html" / "ui").mkdir(parents=True, exist_ok=True)
    (root / "var" / "www" / "html" / "ui" / "index.html").write_text("the interface")
    text = pod.objects["isd-oes-ui"]["nginx.conf"]
    for path in ("/tmp/", "/etc/isd", "/var/www"):
        text = text.replace(f" {path}", f" {root}{path}")
    text = text.replace("listen 8080 ", f"listen 127.0.0.1:{port} ").replace(":9000", f":{upstream}")
    text = text.replace("/dev/stderr", str(root / "error.log")).replace("/dev/stdout", "off")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "nginx.conf").write_text(text.replace(":8084", f":{upstream}"))
    return root / "nginx.conf"


def test_the_user_interface_starts_without_deck_and_finds_it_later(interface: Pod) -> None:
    names: dict[str, str] = {}
    port = free_port()

    def ask(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ""

    with serving(lambda method, path, body: {"path": path}) as upstream, name_server(names) as dns:
        config = nginx(interface, port, dns, int(upstream.rpartition(":")[2]))
        subprocess.run(["nginx", "-t", "-q", "-c", config], check=True)
        running = subprocess.Popen(
            ["nginx", "-c", config, "-g", f"daemon off; {'user root;' if os.getuid() == 0 else ''}"]
        )
        try:
            wait_for(port, running)
            assert ask("/ui/applications") == (200, "the interface")
            assert ask("/deck/index.html")[0] == 502
            names["spin-deck.isd-ns.svc.cluster.local"] = names["isd-oes-gate.isd-ns.svc.cluster.local"] = "127.0.0.1"
            assert wait_until(lambda: ask("/deck/index.html")[0] == 200)
            assert json.loads(ask("/deck/a%20b?x=1")[1])["path"] == "/a%20b?x=1"
            assert json.loads(ask("/gate/auth/user")[1])["path"] == "/auth/user"
            assert json.loads(ask("/login")[1])["path"] == "/login"
        finally:
            running.terminate()
            running.wait(20)


def test_a_pod_without_a_name_server_is_reported(render: Callable[..., list[Object]], tmp_path: Path) -> None:
    code = a_pod(render("oes-ui"), tmp_path, {}).container("resolver")["command"][2]
    (tmp_path / "resolv.conf").write_text("search a\n")
    command = [sys.executable, "-c", code, tmp_path / "resolv.conf", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("resolv.conf names no name server, and nginx needs one. Set dnsConfig of oes-ui.\n")
