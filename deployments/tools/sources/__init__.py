"""The kinds of sources that tools come from, a module or a folder for each."""
