"""Threads of the linear algebra: one inside, as before outside, and one for good where that is asked for."""

import subprocess
import sys

CHECK = """
from threadpoolctl import threadpool_info
import numpy
from recommender.algorithms import _blas

def threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

before = threads()
with _blas.one_blas_thread():
    assert threads() == {1}
assert threads() == before
_blas.stay_on_one()
with _blas.one_blas_thread():
    pass
assert threads() == {1}
"""


def test_a_process_that_stays_on_one_thread_is_not_set_back():
    subprocess.run([sys.executable, "-c", CHECK], check=True, env={"OPENBLAS_NUM_THREADS": "2", "PATH": ""})
