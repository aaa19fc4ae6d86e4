"""The HTTP face of `accounts/`: an API, its OpenAPI description, and a page for people. Nothing is decided here.

    models          bodies of requests and answers        problems        errors as RFC 9457 problems
    authentication  who asks, and with which role         metrics         what Prometheus reads
    guard           limits, request ids, headers          routes          the API
    application     all of it as one application          serving         uvicorn, TLS, the end

A secret is in no answer except an agent's manifest and the log never holds one. Only `cli/` starts it.
"""
