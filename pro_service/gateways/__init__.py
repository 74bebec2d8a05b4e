"""The gateways: a package or module per provider, one vocabulary for what they take, answer, raise and bring."""
