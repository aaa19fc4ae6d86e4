"""Merge layers into one set of documents: order, keyed merge, directives and patches.

Every value keeps its origin and the origins it overrode. Pure: it gets bytes and returns data and findings; it reads,
writes and decrypts nothing.
"""
