"""Train a network on flowers from the command line: ``python -m hw4.training``."""

from collections.abc import Sequence

from coursework.door import run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code, 1 after an error, which is printed in words."""
    from hw4.flowers import command  # PyTorch takes seconds to import, and the door is open now

    return command.main(arguments)


if __name__ == "__main__":
    raise SystemExit(run_command("hw4.training", main))
