"""Patient-reported outcomes for clinical trials, asked at the protocol's moments."""
