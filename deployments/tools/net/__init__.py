"""The only way out: HTTP to declared hosts, on addresses that were checked, with bounded answers."""
