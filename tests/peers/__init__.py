"""The real programs that the tests speak to, one module each: databases, telephones, a browser, mail."""
