"""Rules about time: windows, working days, what is due and when to look again."""
