"""What the notebook shows of homework 3: sweeps and comparisons, tables and sentences, figures."""
