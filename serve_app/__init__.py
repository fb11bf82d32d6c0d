"""Composing the cluster: the YAML, the deployments bound together, the HTTP surface."""
