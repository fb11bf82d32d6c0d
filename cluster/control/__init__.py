"""The control plane: the database of keys, quotas, usage and audit, and the admin API over it."""
