"""Rooms of the update sequence; `chorale.state_update` reads through them in order."""
