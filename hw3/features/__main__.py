"""Extract the features of MNIST from the command line: ``python -m hw3.features``."""

from collections.abc import Sequence

from coursework.door import run_command


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract one split of MNIST, as the command line says."""
    from hw3.features import command  # PyTorch takes seconds to import, and the door is open now

    command.main(arguments)


if __name__ == "__main__":
    raise SystemExit(run_command("hw3.features", main))
