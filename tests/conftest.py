"""How hypothesis runs: without a deadline, because a shared machine's clock proves nothing."""

import os

from hypothesis import settings

# Where nobody looks at the machine again, the same examples each time: a failure can be repeated.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
