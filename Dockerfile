# The image of the init container, the jobs and the sidecars of the charts.
#
#   make image                                            # with buildah, without an image registry
#   make image-context && docker build --build-arg VERSION=... .
#
# The base is any Debian with its package archive. Dependencies come from requirements.lock, each checked by its hash.
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
ARG PIP_NO_INDEX=
# The base decides which versions of Debian's packages there are.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY build/image/ /wheels/
COPY scripts/trim_image.py /wheels/trim_image.py
# Byte code is not checked against its source at each start: both come from the same wheel and never change.
RUN python3 -m venv --without-pip /opt/halgit \
 && python3 -m venv /opt/pip \
 && /opt/pip/bin/pip --python /opt/halgit/bin/python install --no-cache-dir --no-compile --require-hashes \
      --find-links /wheels --requirement /wheels/requirements.lock \
 && /opt/pip/bin/pip --python /opt/halgit/bin/python install --no-cache-dir --no-compile --no-deps --no-index \
      --find-links /wheels halgit \
 && python3 /wheels/trim_image.py /opt/halgit \
 && PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash /opt/halgit/lib

FROM ${BASE_IMAGE}
ARG VERSION
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="halgit" \
      org.opencontainers.image.description="A configuration compiler for Spinnaker's Halyard" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://github.com/opsmx/halgit" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-3-Clause"
# git and ssh fetch sources, gpg verifies signatures of commits. No file is setuid, and apt leaves no lists or logs.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git gpg openssh-client python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* /usr/share/doc /usr/share/man \
      /usr/share/locale \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && groupadd --gid 1000 spinnaker \
 && useradd --uid 1000 --gid 1000 --create-home --home-dir /home/spinnaker --no-log-init spinnaker
COPY --from=build /opt/halgit /opt/halgit
ENV PATH=/opt/halgit/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1
# The user of the charts (podSecurity.runAsUser): Halyard reads and writes the tree as the same one.
USER 1000:1000
WORKDIR /home/spinnaker
ENTRYPOINT ["halgit"]
