"""Outside systems, one module or package each; the only room that opens a socket or starts a process.

Foreign errors become `RemoteError`s here, once. A remote is told by the operator where to go and with what login;
nothing it reads ever changes that.
"""
