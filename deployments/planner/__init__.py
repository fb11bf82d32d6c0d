"""From an instruction to work done: a plan is made, its steps are run, and the answer is put into words."""
