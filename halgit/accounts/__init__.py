"""The writer of dynamic accounts: one change to the file Clouddriver reads through its config server, as one commit.

    cipher      Spring's {cipher} values           kubeconfig  what Clouddriver can use of a kubeconfig
    edit        a change applied to the file's text  agent   the manifest for a remote cluster
    stores      where the file is kept: git, S3, Vault
    writer      read, apply, write; again when another writer was first

`edit`, `kubeconfig` and `agent` are pure. Nothing here validates a halconfig or renders a tree.
"""
