"""A saved classifier of recordings, and its stream of steps."""
