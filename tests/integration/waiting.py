"""Wait for a condition instead of sleeping."""
import time


def wait_for(condition, what, timeout=30):
    """Returns the condition's first true value."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited in vain: {what}")
