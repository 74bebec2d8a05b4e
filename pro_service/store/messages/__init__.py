"""Texts and mails on their way out and in: the outbox, receipts, the inbox, staff's mail."""
