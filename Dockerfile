# The halgit program as the init container, the jobs and the sidecar of the charts use it.
# Build from the root of a checkout: docker build -t halgit .
FROM python:3.13-slim AS wheel
COPY pyproject.toml README.md LICENSE /src/
COPY halgit /src/halgit
COPY schemas /src/schemas
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /src

FROM python:3.13-slim
LABEL org.opencontainers.image.title="halgit" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# git and ssh fetch sources, gpg verifies signatures of commits.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git gpg openssh-client \
 && rm -rf /var/lib/apt/lists/*
COPY --from=wheel /wheels /wheels
RUN wheel=$(ls /wheels/*.whl) \
 && pip install --no-cache-dir --no-compile "${wheel}[gcp,server]" \
 && rm -rf /wheels
# The user of the charts (podSecurity.runAsUser): Halyard reads and writes the tree as the same one.
RUN groupadd --gid 1000 spinnaker \
 && useradd --uid 1000 --gid 1000 --create-home --home-dir /home/spinnaker spinnaker
USER 1000:1000
WORKDIR /home/spinnaker
ENTRYPOINT ["halgit"]
