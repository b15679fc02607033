"""`python -m vivant` is the command line."""

from vivant.cli import main

if __name__ == "__main__":
    main()
