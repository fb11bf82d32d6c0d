"""Ray jobs: programs that `ray job submit` runs on the cluster, as callers of its applications."""
