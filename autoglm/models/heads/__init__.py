"""Fitted heads that ship with the project, each beside the script that made it."""
