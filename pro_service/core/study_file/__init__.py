"""The study file: TOML to protocol, with every fault named."""
