"""One thread for all tests: small networks gain nothing from more, and the same bits come out everywhere."""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
