"""Findings, differences and summaries as text and data. Never holds a secret's value."""
