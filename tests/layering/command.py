"""The command line that the checks of this folder share."""

import sys
from pathlib import Path


def run(check):
    """Prints the problems that check(SOURCE_DIR) returns, one per line, and exits with 1 if there are any."""
    source_dir = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]
    problems = check(source_dir)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
