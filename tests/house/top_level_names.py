"""Fails where an installed package other than Chorale provides one of our top-level module names."""

from __future__ import annotations

import sys
from importlib.metadata import packages_distributions

OURS = ("chorale", "schema", "resolvers", "datasources", "programs", "bench")


def main() -> int:
    """Print every clash; the exit code is their number."""
    providers = packages_distributions()
    clashes = [(name, other) for name in OURS for other in providers.get(name, []) if other.lower() != "chorale"]
    for name, other in clashes:
        print(f"The top-level name {name!r} is also provided by the package {other!r}; unlock or replace that package.")
    return len(clashes)


if __name__ == "__main__":
    sys.exit(main())
