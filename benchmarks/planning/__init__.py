"""How good plans are: the project's own set of instructions, retrieval of tools, and BFCL."""
