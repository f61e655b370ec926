"""Four systems, each down, slow, answering garbage, or behind: what readers and writers see, and how it ends."""
