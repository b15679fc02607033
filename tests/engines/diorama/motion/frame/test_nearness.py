"""How near each place is, as the camera needs it, on hand-made surfaces."""

from __future__ import annotations

import numpy as np

from vivant.engines.diorama.motion.frame.nearness import even_columns
from vivant.engines.diorama.motion.frame.rig import FAR


def test_cards_side_by_side_go_and_a_slope_and_what_stands_low_in_the_picture_stay() -> None:
    slope = np.repeat(np.linspace(0.4, 0.6, 60, dtype=np.float32)[:, None], 90, axis=1)
    cards = slope + np.repeat([-0.1, 0.0, 0.1], 30).astype(np.float32)
    assert np.allclose(even_columns(cards), slope, atol=1e-6)
    stands = slope.copy()
    stands[40:, 50:70] += 0.2
    assert np.allclose(even_columns(stands), stands, atol=1e-6)
    assert even_columns(slope - 0.3).min() >= FAR - 1e-6
