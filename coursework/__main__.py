"""The command ``coursework``, which is also ``python -m coursework``."""

import sys

from coursework.door import run_command


def main() -> int:
    """Run the command line of this process."""
    return run_command("coursework", _run)


def _run() -> int:
    from coursework import cli  # the door is open now

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
