"""What both homeworks share, and what turns a notebook into the hand-in."""
