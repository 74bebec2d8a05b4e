"""Pages and webhooks without login: the survey, the card's door, what Twilio calls, health."""
