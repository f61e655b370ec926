"""The keeper's rooms: what is due, who has taken it, what it may cost, how it is sent, and how that is shown."""
