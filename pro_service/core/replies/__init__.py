"""The reply reader: text to score or wish, and never a guess."""
