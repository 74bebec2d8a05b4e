"""What an answer or a text calls for: reading it in its place, replying, and telephones that several share."""
