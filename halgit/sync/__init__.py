"""The loop that keeps a rendered tree and the running Spinnaker equal to their sources."""
