"""Tools that plans and callers may use: where they come from, who may call them, and the bounds of a call."""
