import os

import pytest
from fxkit.machine import processor


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_counts_the_cores_that_this_process_may_use():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processor().endswith(", 1 core")
    finally:
        os.sched_setaffinity(0, before)


def test_names_the_processor():
    name, _, cores = processor().rpartition(", ")
    assert name
    assert int(cores.split()[0]) >= 1
