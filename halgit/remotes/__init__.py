"""Outside systems, one to three modules each. The only package that opens sockets or starts processes.

Foreign errors become `RemoteError`s here. The operator sets servers and credentials; nothing that is read from a
source or server changes them.
"""
