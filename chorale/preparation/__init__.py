"""Rooms of the preparer: one module per noun, on what all of them check and read."""
