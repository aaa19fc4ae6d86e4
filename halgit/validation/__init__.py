"""Validation: findings for what Halyard, or a service it starts, would refuse or silently change in a `Compiled`.

Pure, and needs no credential: a reference counts as the text it stands for. The rules are listed by hand in
`rules/__init__.py`; `rule.validate` runs those that are asked for.
"""
