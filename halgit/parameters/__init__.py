"""Parameters: declarations, values and their substitution in merged files.

Pure: environment, options and files come in with the operator settings.
"""
