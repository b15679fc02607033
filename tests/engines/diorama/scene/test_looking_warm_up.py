"""No job waits for the compiler: what a look at a picture runs is compiled before."""

from __future__ import annotations

import numpy as np

from support.clips import photo
from vivant.engines.diorama.kernels import compiled_signatures
from vivant.engines.diorama.scene import body, features, guided_filter, matte, mirrors, pupils, quays, regions
from vivant.engines.diorama.scene.warm_up import warm_up_looking
from vivant.media import fit

KERNELS = (
    body._measure_from, guided_filter._multiply, guided_filter._fit_lines, guided_filter._apply_lines,
    pupils._fit_ellipse, regions._cross, regions._trace, regions._learn, regions._add_likelihood,
    mirrors._correlate_rows, mirrors._correlate_strips,
)  # fmt: skip


def test_after_the_warm_up_a_picture_is_looked_at_without_compiling() -> None:
    warm_up_looking()
    known = [len(compiled_signatures(kernel)) for kernel in KERNELS]
    assert min(known) > 0
    rgb = fit(photo("mountain_lake"), 480, 272)
    seen = features.extract_features(rgb, np.zeros(rgb.shape[:2], np.float32), drawn=0.0)
    regions.find_sky(seen, rgb, indoors=0.0)
    mirrors.measure_mirrors(seen)
    quays.find_quayside(seen)
    matte.align_to_edges(np.eye(320, dtype=np.float32), rgb)
    pupils.find_pupils(np.ascontiguousarray(rgb[..., 0]), np.ones(rgb.shape[:2], np.bool_))
    assert [len(compiled_signatures(kernel)) for kernel in KERNELS] == known
