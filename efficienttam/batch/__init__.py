"""What ``run_job`` is made of: the job checked and opened, views tracked, files written, progress told."""
