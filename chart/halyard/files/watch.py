"""Say whether the source has moved on since Halyard's tree was rendered: a metric, and a Kubernetes event.

Runs "halgit render --check" with the environment of the init container: exit 0 says that nothing would change, 1 that the
tree would, anything else that it cannot be told. Arguments: seconds between two looks, port of the metrics, "events" or nothing.
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
STATE = {"moved": 0, "failed": 0, "checked": 0.0}
TEXT = """# HELP halgit_source_moved Whether a render would change the tree Halyard has.
# TYPE halgit_source_moved gauge
halgit_source_moved {moved}
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


def event(message):
    """Post an event about this pod; the API's refusal is said and not more."""
    namespace = (ACCOUNT / "namespace").read_text().strip()
    pod, now = os.environ["POD_NAME"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": pod, "uid": os.environ["POD_UID"]}
    body = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"generateName": pod + ".", "namespace": namespace},
        "involvedObject": about, "reason": "SourceMoved", "message": message, "type": "Warning", "count": 1,
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


def look(events):
    """One look; an event when the source is seen to have moved, not again until it has moved back."""
    code = subprocess.run(["halgit", "render", "--check"], stdout=subprocess.DEVNULL, check=False).returncode
    before, STATE["failed"], STATE["checked"] = STATE["moved"], int(code not in (0, 1)), time.time()
    if code in (0, 1):
        STATE["moved"] = code
    if STATE["moved"] and not before:
        message = "The configuration has moved on since this pod rendered it. Restart the pod to take it."
        print(message, flush=True)
        if events:
            event(message)


def main():
    seconds, port, events = float(sys.argv[1]), int(sys.argv[2]), "events" in sys.argv[3:]
    server = ThreadingHTTPServer(("", port), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        time.sleep(seconds)
        look(events)


if __name__ == "__main__":
    main()
