"""How hypothesis runs: without a deadline, because a shared machine's clock proves nothing."""

import os

import pytest
from hypothesis import settings

# Where nobody looks at the machine again, the same examples each time: a failure can be repeated.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# They repeat for very many inputs what the other tests show for some: to trace them too would take
# twice as long, and show nothing new. Elsewhere a single test is marked so.
UNTRACED = {"test_model", "test_real", "test_teeth"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of the coverage what would only slow it down."""
    for item in items:
        if item.path.stem in UNTRACED:
            item.add_marker(pytest.mark.no_cover)
