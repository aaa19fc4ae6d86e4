"""A real MinIO on loopback as S3: its conditional writes are atomic, which moto's are not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import needs
from servers.aws import KEYS, Cloud
from servers.ports import free_port, wait_for


@contextmanager
def minio(folder: Path) -> Iterator[Cloud]:
    """A server for the length of a with block, with its data below the folder; skips where the program is missing."""
    program = needs.go_tool("minio")
    port = free_port()
    (folder / "data").mkdir()
    environment = {
        "HOME": str(folder), "PATH": os.environ["PATH"], "MINIO_BROWSER": "off", "MINIO_CI_CD": "1",
        "MINIO_ROOT_USER": KEYS["AWS_ACCESS_KEY_ID"], "MINIO_ROOT_PASSWORD": KEYS["AWS_SECRET_ACCESS_KEY"],
    }  # fmt: skip
    with open(folder / "minio.log", "wb") as log:
        command = [program, "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder / "data")]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    cloud = Cloud(f"http://127.0.0.1:{port}")
    try:
        wait_for(port, process)
        cloud.client("s3").list_buckets()
        yield cloud
    finally:
        cloud.hang_up()
        for client in cloud.clients.values():
            client.close()
        process.terminate()
        process.wait(20)
