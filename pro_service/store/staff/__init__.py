"""Staff: accounts, roles, sessions, second factors, links from mails."""
