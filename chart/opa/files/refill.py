"""Send OPA its policies again when it has none: OPA has them in memory only, sapor in its database.

Saving a policy in sapor sends it to OPA, so each is read and saved unchanged. Arguments: sapor, OPA, user, seconds.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def call(address, user, method="GET", body=None):
    headers = {"Content-Type": "application/json", "x-spinnaker-user": user}
    request = urllib.request.Request(address, None if body is None else json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read() or b"null")


def refill(sapor, opa, user):
    """Send all policies if OPA has none, and return their number."""
    if call(opa + "/v1/policies", user)["result"]:
        return 0
    names = [policy["policyName"] for policy in call(sapor + "/oes/v1/policies/list", user) or []]
    for name in names:
        policy = call(sapor + "/oes/v1/policy/" + urllib.parse.quote(name), user)["response"]
        identity = policy.pop("policyId")
        call("%s/oes/v1/policy/%s" % (sapor, identity), user, "PUT", policy)
    return len(names)


def main():
    sapor, opa, user, seconds = sys.argv[1:]
    while True:
        try:
            sent = refill(sapor, opa, user)
            if sent:
                print("sent %d policies to OPA" % sent, flush=True)
        except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
            print("policies not sent, next attempt in %s seconds: %s" % (seconds, error), flush=True)
        time.sleep(float(seconds))


if __name__ == "__main__":
    main()
