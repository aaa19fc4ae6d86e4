"""Layers into one configuration: their order, the merge, patches, parameters, and the dialect of older repositories.

Every value keeps where it was written and what it overrode. This room is pure: it is handed bytes and gives back
data and findings; it reads, writes and decrypts nothing.
"""
