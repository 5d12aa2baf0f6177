"""A saved classifier of texts."""
