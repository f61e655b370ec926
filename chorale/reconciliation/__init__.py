"""Rooms of `reconcile`: one resolver per kind of conflict, and the log of what they did."""
