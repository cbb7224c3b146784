"""``python -m coursework`` is the command ``coursework``."""

import sys

from coursework.cli import main

sys.exit(main())
