"""Remove what the image does not need from an installation: data of unused AWS services, tests, and headers.

Run by the Dockerfile: python scripts/trim_image.py FOLDER.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

AWS_SERVICES = {"s3", "secretsmanager", "sts", "sso", "sso-oidc", "signin"}
"""The services of boto3 that halgit uses; the others are most of botocore's size."""


def main(folder: Path) -> None:
    """Trim the installation in a folder."""
    for data in folder.glob("lib/*/site-packages/botocore/data"):
        for service in data.iterdir():
            if service.is_dir() and service.name not in AWS_SERVICES:
                shutil.rmtree(service)
    for data in folder.glob("lib/*/site-packages/boto3/data"):
        for service in data.iterdir():
            if service.is_dir() and service.name not in AWS_SERVICES:
                shutil.rmtree(service)
    for pattern in ("lib/*/site-packages/*/tests", "lib/*/site-packages/google/*/tests", "include"):
        for found in folder.glob(pattern):
            shutil.rmtree(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
