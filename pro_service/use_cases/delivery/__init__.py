"""From a waiting row to the provider and back: claim, send, record, reconcile, watch."""
