"""Everything that speaks HTTP: webhooks, the participant's form, the dashboard, the simulator."""
