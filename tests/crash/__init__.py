"""`./dev crash`: many texts, a provider on its worst day, senders killed at random; nothing lost, nothing twice."""
