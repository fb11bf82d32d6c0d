"""The planner's application: deployments' parts brought together, and what they reach by handle."""
