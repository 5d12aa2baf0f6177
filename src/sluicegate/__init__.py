"""Sluicegate: gated recurrent networks, trained and run on ordinary CPUs."""
