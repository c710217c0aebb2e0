"""Completions, and the way from and to Chat."""
