"""What is done about one participant: answers, changes, the card, the contact test."""
