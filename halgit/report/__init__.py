"""Findings, differences and summaries as text and as data for other programs.

Pure: it is given values and returns texts. It never holds a secret's value; what it is given is masked already.
"""
