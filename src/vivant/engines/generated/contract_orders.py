"""Orders in the words of the contract itself, for servers that speak it: resolution and ratio instead of pixels."""

from __future__ import annotations

from vivant.engines.generated.canvas import GenerationCanvas
from vivant.engines.generated.order import Order, probe_order
from vivant.errors import EngineFailed
from vivant.request import SIZES, Canvas


def size_of(order: Order) -> tuple[str, str]:
    """(resolution, ratio) of the clip. Raises EngineFailed for a canvas that the contract does not have."""
    wanted = order.canvas.contract
    for name, size in SIZES.items():
        if size == (wanted.width, wanted.height):
            return name
    raise EngineFailed(f"{wanted.width}x{wanted.height} is no size of the contract.")


def cheapest_order() -> Order:
    """The least that the contract lets one order: a silent clip of 4 s at 480p, of a grey wedge."""
    contract = Canvas.of("480p", "1:1", 4)
    grey = probe_order(grid=2, side=contract.width, seconds=4)
    return Order(
        prompt=grey.prompt,
        canvas=GenerationCanvas.of(contract, grid=2, max_pixels=0),
        seconds=4,
        frames=contract.frames,
        seed=grey.seed,
        first=grey.first,
        last=None,
        audio=False,
        camera_fixed=True,
    )
