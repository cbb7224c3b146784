"""Extract features from the command line: ``python -m hw3.features``."""

from hw3.features.sharing import main

if __name__ == "__main__":
    main()
