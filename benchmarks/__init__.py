"""What is claimed about speed, measured again by ``python -m benchmarks``."""
