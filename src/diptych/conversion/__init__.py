"""From any registered format to any other."""
