"""A saved forecaster, and its stream of rows."""
