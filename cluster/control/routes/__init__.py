"""The admin API's paths, a file for each noun."""
