"""What a journal asks for: how complete the data are, who took part until when, and how it was done."""
