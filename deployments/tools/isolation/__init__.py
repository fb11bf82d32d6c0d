"""Python tools in a process of their own: a clean environment, limits, and an end that nothing survives."""
