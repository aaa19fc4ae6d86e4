"""What is known of Halyard, as data and pure functions: its model, the `.hal` layout, services, versions.

The tables and schemas are made by `scripts/make_halyard_tables.py`. Nothing here reads or writes a user's file.
"""
