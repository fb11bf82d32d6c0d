"""The Berkeley Function-Calling Leaderboard's single-turn questions, with the answers that its authors give.

Patil et al., The Berkeley Function Calling Leaderboard, 2025. The package `bfcl-eval` pins libraries that cannot be
installed beside this project's, so its wheel is read as the archive it is:

    pip download --no-deps bfcl-eval
"""
