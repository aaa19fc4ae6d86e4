#!/bin/sh
# Wait for Halyard, then deploy what halgit rendered. Arguments: seconds to wait, then those of "hal deploy apply".
# What it says goes to the log of the container, and the reason of a failure to the termination message.
set -eu
limit=$1
shift
say() {
  echo "$*" >/proc/1/fd/1 2>/dev/null || echo "$*"
}
waited=0
until curl --silent --fail --output /dev/null http://127.0.0.1:8064/health; do
  if [ "$waited" -ge "$limit" ]; then
    reason="Halyard does not answer after $limit seconds. See its log above."
    say "$reason"
    echo "$reason" >/dev/termination-log
    exit 1
  fi
  sleep 2
  waited=$((waited + 2))
done
say "Halyard answers; deploying Spinnaker."
if ! hal deploy apply --no-color "$@" >/tmp/apply.log 2>&1; then
  say "$(cat /tmp/apply.log)"
  tail -c 2000 /tmp/apply.log >/dev/termination-log
  exit 1
fi
say "$(cat /tmp/apply.log)"
