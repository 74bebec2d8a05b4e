"""The trial's rules: pure functions on frozen values, standard library only, no clock, no I/O."""
