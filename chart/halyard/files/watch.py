"""Say whether the source has moved on since Halyard's tree was rendered: a metric, and a Kubernetes event.

Runs "halgit render --check" with the environment of the init container: exit 0 says that nothing would change, 1 that the
tree would, or that what the source holds now has errors; anything else that it cannot be told. Arguments: seconds between two looks, port of the metrics, "events" or nothing.
"""

import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ACCOUNT = Path(os.environ.get("ACCOUNT_DIRECTORY", "/var/run/secrets/kubernetes.io/serviceaccount"))
STATE = {"moved": 0, "broken": 0, "failed": 0, "checked": 0.0}
TEXT = """# HELP halgit_source_moved Whether a render would change the tree Halyard has.
# TYPE halgit_source_moved gauge
halgit_source_moved {moved}
# HELP halgit_source_broken Whether what the source has moved to has errors: a pod that restarts would not start.
# TYPE halgit_source_broken gauge
halgit_source_broken {broken}
# HELP halgit_check_failed Whether the last look failed.
# TYPE halgit_check_failed gauge
halgit_check_failed {failed}
# HELP halgit_check_timestamp_seconds When the last look ended.
# TYPE halgit_check_timestamp_seconds gauge
halgit_check_timestamp_seconds {checked}
"""


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self):
        body = TEXT.format(**STATE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Requests are not worth a line."""


def event(reason, message):
    """Post an event about this pod; the API's refusal is said and not more."""
    namespace = (ACCOUNT / "namespace").read_text().strip()
    pod, now = os.environ["POD_NAME"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": pod, "uid": os.environ["POD_UID"]}
    body = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"generateName": pod + ".", "namespace": namespace},
        "involvedObject": about, "reason": reason, "message": message, "type": "Warning", "count": 1,
        "firstTimestamp": now, "lastTimestamp": now, "source": {"component": "halgit"},
    }
    server = os.environ.get("API_SERVER", "https://kubernetes.default.svc")
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + (ACCOUNT / "token").read_text()}
    address = "%s/api/v1/namespaces/%s/events" % (server, namespace)
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")) if server.startswith("https:") else None
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")
    try:
        urllib.request.urlopen(request, timeout=30, context=trust).close()
    except (urllib.error.URLError, OSError) as error:
        print("the event was not taken: %s" % error, flush=True)


MOVED = "The configuration has moved on since this pod rendered it. Restart the pod to take it."
BROKEN = "The configuration has moved on to one with errors: see the log of this container. A pod that restarts would not start."


def broken(answer):
    """Whether the answer of a check has findings that fail a render."""
    failing = ("error", "warning") if os.environ.get("HALGIT_FAIL_ON") == "warning" else ("error",)
    try:
        return any(finding["severity"] in failing for finding in json.loads(answer).get("findings", []))
    except (ValueError, AttributeError, KeyError, TypeError):
        return False


def look(events):
    """One look; an event when the source is seen to have moved, or to have broken, and not again until that changes."""
    done = subprocess.run(["halgit", "render", "--check", "--format", "json"], stdout=subprocess.PIPE, check=False)
    before = STATE["moved"], STATE["broken"]
    STATE["failed"], STATE["checked"] = int(done.returncode not in (0, 1)), time.time()
    if done.returncode in (0, 1):
        STATE["moved"], STATE["broken"] = done.returncode, int(done.returncode == 1 and broken(done.stdout))
    if STATE["moved"] and (STATE["moved"], STATE["broken"]) != before:
        reason, message = ("SourceBroken", BROKEN) if STATE["broken"] else ("SourceMoved", MOVED)
        print(message, flush=True)
        if events:
            event(reason, message)


def main():
    seconds, port, events = float(sys.argv[1]), int(sys.argv[2]), "events" in sys.argv[3:]
    server = ThreadingHTTPServer(("", port), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        time.sleep(seconds)
        look(events)


if __name__ == "__main__":
    main()
