"""Operating the cluster: what runs beside the serving path."""
