"""Tables of measurements that scikit-learn bundles."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import DataSet, Examples, Source

_PIP = "pip install 'claimbench[papers]'"


def _read(name: str) -> Examples:
    import numpy as np
    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    bunch: Any = getattr(datasets, f"load_{name}")(**options)
    kind = np.float64 if name == "diabetes" else np.int64
    return Examples(bunch.data.astype(np.float64), bunch.target.astype(kind))


# 569 breast masses. Inputs (569, 30): mean, standard error and worst value of ten measurements of
# the cell nuclei. Targets (569,): 0 malignant, 1 benign.
breast_cancer = DataSet(
    name="breast_cancer",
    version="1995-11-01",
    licence="CC-BY-4.0",
    source=(
        "Wolberg, Mangasarian, Street and Street 1995, Breast Cancer Wisconsin (Diagnostic), UCI "
        "Machine Learning Repository, doi:10.24432/C5DW2B; as bundled with scikit-learn"
    ),
    sha256="25e2eb7b7a8745b1bde5ba18bc4969983d2e2f403291ecd5bde4a29ef30c3859",
    sources=(Source("sklearn", _PIP, partial(_read, "breast_cancer")),),
)

# 178 wines of one Italian region. Inputs (178, 13): chemical analysis. Targets (178,): the
# cultivar, 0 to 2.
wine = DataSet(
    name="wine",
    version="1991-07-01",
    licence="CC-BY-4.0",
    source=(
        "Aeberhard and Forina 1992, Wine, UCI Machine Learning Repository, doi:10.24432/C5PC7J; as "
        "bundled with scikit-learn"
    ),
    sha256="3a28849ef2366c4b9d4e382b3fa5624a66f693c04d7fdcf43c529bbb0bb338d7",
    sources=(Source("sklearn", _PIP, partial(_read, "wine")),),
)

# 442 diabetes patients. Inputs (442, 10), as measured: age (years), sex (1, 2), body mass index,
# mean blood pressure, six blood serum measurements. Targets (442,): disease progression after a
# year, 25 to 346.
diabetes = DataSet(
    name="diabetes",
    version="2004",
    licence="LicenseRef-unstated",
    source=(
        "Efron, Hastie, Johnstone and Tibshirani 2004, Least Angle Regression, Annals of "
        "Statistics 32; as bundled with scikit-learn"
    ),
    sha256="e9c1f7559552854a24dc45b41c446ce5f79f96e5da081bcce24b57492720b3f7",
    sources=(Source("sklearn", _PIP, partial(_read, "diabetes")),),
)
