"""What the product is measured by: beside the hand-written limit and a peer, in the same run, rows checked first."""
