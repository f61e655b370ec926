"""Rooms of `reconcile`: one resolver per kind of conflict, what they do, and the log of it."""
