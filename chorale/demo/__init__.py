"""Demo data: discussions made by running the real mutations."""
