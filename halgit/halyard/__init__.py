"""Knowledge of Halyard as tables and pure functions: its model, the `.hal` layout, services, versions.

`scripts/make_halyard_tables.py` generates the tables and schemas. Nothing here reads or writes a user's file.
"""
