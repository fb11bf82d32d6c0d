"""The parts of the cluster: one room for each Ray Serve deployment. Rooms do not import each other."""
