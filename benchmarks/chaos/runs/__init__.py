"""The fault lab of background runs: plans whose every step has an effect, while the cluster that runs them dies.

`services` are the tools, which write down what reached them; `errands` are the runs and what must become of each;
`house` is the cluster, `faults` break it, `traffic` sends, approves and cancels, `verdict` compares what was done with
what had to be done, `record` counts, and `run` puts them together.
"""
