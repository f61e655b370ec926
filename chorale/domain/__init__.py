"""Pure rules and shapes of Chorale: standard library only, no I/O, no clock of its own."""
