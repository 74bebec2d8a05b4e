"""What staff can change about a participant: the changes as values, what each brings about, and its preview."""
