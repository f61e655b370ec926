"""Rooms of `boundaries`: one checker per boundary, and the verification that runs them."""
