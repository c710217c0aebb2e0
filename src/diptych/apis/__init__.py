"""Message APIs, one folder each."""
