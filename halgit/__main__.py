"""`python -m halgit` is the `halgit` program."""

from halgit.cli import main

main()
