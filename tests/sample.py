"""The sizes of long tests. A test is registered with two numbers, SAMPLE/FULL: `tools/test --full` sets TEST_FULL."""
import os


def size(numbers):
    """The number of "SAMPLE/FULL" that this run wants. A number alone is both."""
    sample, _, full = numbers.partition("/")
    return int(full if full and os.environ.get("TEST_FULL") else sample)
