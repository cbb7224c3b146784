"""What the notebook shows of both coding parts: tables, sentences and figures."""
