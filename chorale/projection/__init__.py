"""Rooms of the projector and the watcher: how a change on chain becomes derived state."""
