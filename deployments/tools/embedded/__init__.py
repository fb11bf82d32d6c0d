"""The tools that come with the system. They read their arguments and the clock, change nothing, and reach nothing."""
