"""The loop that keeps the tree and the running Spinnaker equal to the repository.

    loop          rounds, retries, wake-ups            leadership   which replica acts
    synchronizer  one pass: render, plan, publish      holds        why nothing may happen now; windows
    deployment    what is due of the tree on the disk  deployer     one deploy, from idle to a known outcome
    renderer      sources into files, in memory        plan         the services that a new tree reaches
    state         what is remembered, in state_file    tree, drift  what is on the disk, and who changed it
    events        what happened, and to whom it goes   reporters    commits, Kubernetes, a notification webhook
    status        what everybody may see of it         problems     Halyard's problems as findings

It is given connections and settings; it reads no option and no environment, and serves nothing.
"""
