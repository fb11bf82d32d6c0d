"""The fault lab: traffic whose every answer is known beforehand, while parts of the cluster are killed or stopped.

`subject` is what is served, `traffic` asks it, `faults` break it, `lab` knows its processes, `verdict` compares what
came with what had to come, `record` counts, and `run` puts them together.
"""
