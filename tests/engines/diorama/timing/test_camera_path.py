"""The camera's curves, and what they do to a picture. Recognised as VBench does it: the middles of the four borders,
first frame against last, must move by more than half a percent of the short side; worked out from the camera itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vivant.engines.diorama.easing import glide, smootherstep
from vivant.engines.diorama.motion.fields import STEP, Rect
from vivant.engines.diorama.motion.frame.rig import MOST_ZOOM, CameraPose, Rig
from vivant.engines.diorama.scene.surroundings import Room
from vivant.engines.diorama.storyboard import Direction, FaceFact, Move, MoveKind, PictureFacts, Shot, Storyboard
from vivant.engines.diorama.timing.camera import make_camera
from vivant.engines.diorama.timing.curves import HOME
from vivant.engines.diorama.timing.views import WHOLE
from vivant.media import F32

WIDTH, HEIGHT, FRAMES = 1280, 720, 121


def board(*moves: Move, frames: int = FRAMES, fixed: bool = False, morph: bool = False, seed: int = 7) -> Storyboard:
    return Storyboard(
        width=WIDTH, height=HEIGHT, frames=frames, seed=seed, language="en", audio=False, camera_fixed=fixed,
        morph=morph, shots=(Shot(start=0, end=frames, moves=moves),),
    )  # fmt: skip


def landscape() -> F32:
    """Nearness of a sky, a horizon and a ground, on the quarter grid."""
    rows = np.linspace(0, 1, -(-HEIGHT // STEP), dtype=np.float32)[:, None]
    return np.repeat(
        0.25 + 0.5 * smootherstep((rows.astype(np.float64) - 0.3) / 0.7), -(-WIDTH // STEP), axis=1
    ).astype(np.float32)


ROOM = Room(left=0.08 * WIDTH, right=0.08 * WIDTH, top=0.08 * HEIGHT, bottom=0.08 * HEIGHT)


def rig(
    storyboard: Storyboard,
    facts: PictureFacts | None = None,
    room: Room = ROOM,
    keep: NDArray[np.float64] | None = None,
) -> Rig:
    curves = make_camera(storyboard, facts or PictureFacts())
    return Rig(
        curves, (WIDTH, HEIGHT), (landscape(),), subject=0.5, parallax=0.03,
        segments=((0, storyboard.frames),), returns=storyboard.morph,
        room=room, keep=keep,
    )  # fmt: skip


def aim(made: Rig, pose: CameraPose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each fourth pixel looks, the grid's rim left out."""
    grid = made.aim(pose, Rect(0, 0, WIDTH, HEIGHT))
    return grid.x[1:-1, 1:-1].astype(np.float64), grid.y[1:-1, 1:-1].astype(np.float64)


def measure_move(made: Rig, x: float, y: float) -> NDArray[np.float64]:
    """By how much what was at (x, y) in the first frame has moved in the last."""
    at_x, at_y = aim(made, made.pose(FRAMES - 1))
    i, j = np.unravel_index(np.argmin((at_x - x) ** 2 + (at_y - y) ** 2), at_x.shape)
    # The nearest sample, corrected by its distance from the place itself.
    return np.array([4 * j + 1.5 - at_x[i, j], 4 * i + 1.5 - at_y[i, j]])


def camera_class(made: Rig) -> set[str]:
    """The names that vbench2_beta_i2v/camera_motion.py gives, from points on a 10 x 10 grid a 64th from the border."""
    column, row = WIDTH * 5 / 9, HEIGHT * 5 / 9
    edge_x, edge_y = WIDTH / 64, HEIGHT / 48
    points = {
        "top": (column, edge_y), "down": (column, HEIGHT - edge_y),
        "left": (edge_x, row), "right": (WIDTH - edge_x, row),
    }  # fmt: skip
    bound = 0.005 * min(WIDTH, HEIGHT)
    words: dict[str, set[str]] = {}
    for name, (x, y) in points.items():
        dx, dy = measure_move(made, x, y)
        found = {"right"} if dx > bound else {"left"} if dx < -bound else set()
        found |= {"down"} if dy > bound else {"up"} if dy < -bound else set()
        words[name] = found or {"static"}
    pairs = {(a, b) for a in words["top"] for b in words["down"]}
    sides = {(a, b) for a in words["left"] for b in words["right"]}
    both = {
        ("left", "left"): "pan_right", ("right", "right"): "pan_left", ("down", "down"): "tilt_up",
        ("up", "up"): "tilt_down", ("static", "static"): "static",
    }  # fmt: skip
    upright = both | {("up", "down"): "zoom_in", ("down", "up"): "zoom_out"}
    level = both | {("left", "right"): "zoom_in", ("right", "left"): "zoom_out"}
    answers = {upright[p] for p in pairs if p in upright} | {level[p] for p in sides if p in level}
    return answers - {"static"} if len(answers) > 1 else answers


EVERY_MOVE = [
    Move(kind="pan", direction="left"), Move(kind="pan", direction="right"), Move(kind="tilt", direction="up"),
    Move(kind="tilt", direction="down"), Move(kind="zoom", direction="in"), Move(kind="zoom", direction="out"),
    Move(kind="dolly", direction="in"), Move(kind="dolly", direction="out"), Move(kind="truck", direction="left"),
    Move(kind="pedestal", direction="up"), Move(kind="orbit", direction="right"),
    Move(kind="roll", direction="clockwise"), Move(kind="handheld"),
    Move(kind="dolly_zoom", direction="out"), Move(kind="dolly_zoom", direction="in"),
    Move(kind="pan", direction="right", speed="fast", strength=1.0),
    Move(kind="zoom", direction="out", speed="fast", strength=1.0),
]  # fmt: skip


@pytest.mark.parametrize("move", EVERY_MOVE, ids=lambda m: f"{m.kind}-{m.direction}-{m.speed}")
def test_every_move_begins_at_home_and_never_shows_a_border(move: Move) -> None:
    made = rig(board(move))
    assert made.pose(0).is_home
    for n in range(0, FRAMES, 8):
        x, y = aim(made, made.pose(n))
        beyond = max(
            -x.min() - ROOM.left, x.max() - WIDTH - ROOM.right, -y.min() - ROOM.top, y.max() - HEIGHT - ROOM.bottom
        )
        assert beyond <= 4, f"frame {n} looks {beyond:.1f} px beyond what is there"


@pytest.mark.parametrize(
    ("move", "name"),
    [
        (Move(kind="pan", direction="left"), "pan_left"),
        (Move(kind="pan", direction="right"), "pan_right"),
        (Move(kind="pan", direction="right", speed="slow", strength=0.3), "pan_right"),
        (Move(kind="truck", direction="right"), "pan_right"),
        (Move(kind="tilt", direction="up"), "tilt_up"),
        (Move(kind="tilt", direction="down"), "tilt_down"),
        (Move(kind="zoom", direction="in"), "zoom_in"),
        (Move(kind="dolly", direction="in"), "zoom_in"),
        (Move(kind="zoom", direction="out"), "zoom_out"),
        (Move(kind="dolly", direction="out"), "zoom_out"),
        (Move(kind="static"), "static"),
    ],
    ids=lambda v: v if isinstance(v, str) else f"{v.kind}-{v.direction}-{v.speed}",
)
def test_a_move_is_recognised_for_what_it_is(move: Move, name: str) -> None:
    assert name in camera_class(rig(board(move)))


@pytest.mark.parametrize(
    ("kind", "direction", "name"),
    [
        ("pan", "right", "pan_right"),
        ("tilt", "up", "tilt_up"),
    ],
)
def test_it_is_recognised_even_where_no_border_may_be_looked_beyond(
    kind: MoveKind, direction: Direction, name: str
) -> None:
    made = rig(board(Move(kind=kind, direction=direction)), room=Room())
    assert name in camera_class(made)
    x, y = aim(made, made.pose(FRAMES - 1))
    assert max(-x.min(), x.max() - WIDTH, -y.min(), y.max() - HEIGHT) < 4
    assert made.pose(FRAMES - 1).zoom <= MOST_ZOOM + 0.01


def test_a_zoom_toward_a_face_in_a_corner_is_still_a_zoom_in() -> None:
    facts = PictureFacts(faces=(FaceFact(x=0.9, y=0.1, height=0.2),))
    assert "zoom_in" in camera_class(rig(board(Move(kind="zoom", direction="in")), facts))


def test_a_dolly_goes_toward_the_face() -> None:
    facts = PictureFacts(faces=(FaceFact(x=0.75, y=0.5, height=0.2),))
    toward, ahead = rig(board(Move(kind="dolly")), facts), rig(board(Move(kind="dolly")))
    face = 0.75 * WIDTH, 0.5 * HEIGHT
    assert np.abs(measure_move(toward, *face)).max() < 0.5 * np.abs(measure_move(ahead, *face)).max()


@pytest.mark.parametrize("storyboard", [board(Move(kind="static")), board(fixed=True), board()])
def test_a_still_camera_is_at_home_in_every_frame(storyboard: Storyboard) -> None:
    made = rig(storyboard)
    assert all(made.pose(n).is_home for n in range(FRAMES))


def test_a_pan_runs_at_constant_speed_but_for_its_ends() -> None:
    pan = make_camera(board(Move(kind="pan", direction="right")), PictureFacts()).pan.astype(float)
    speed = np.diff(pan)
    middle = speed[30:90]
    assert middle.max() - middle.min() < 0.01 * middle.mean()
    assert speed[0] < 0.05 * middle.mean() and speed[-1] < 0.05 * middle.mean()


def test_easing_starts_and_ends_without_speed_or_jerk() -> None:
    u = np.linspace(0, 1, 1001)
    for ease in (smootherstep, glide):
        curve = ease(u)
        assert curve[0] == 0 and curve[-1] == pytest.approx(1)
        assert (np.diff(curve) >= 0).all()
        assert np.abs(np.diff(curve, 2)).max() < 1e-4
    assert glide(np.array([0.5]))[0] == pytest.approx(0.5)


def test_a_faster_and_a_stronger_move_goes_further() -> None:
    def reach(move: Move) -> float:
        return float(np.abs(make_camera(board(move), PictureFacts()).x).max())

    slow, usual, fast = (reach(Move(kind="truck", speed=s)) for s in ("slow", "normal", "fast"))
    assert slow < usual < fast
    assert reach(Move(kind="truck", strength=0.2)) < usual < reach(Move(kind="truck", strength=0.9))


def test_a_handheld_camera_shakes_without_a_jump_and_differs_by_seed() -> None:
    one = make_camera(board(Move(kind="handheld")), PictureFacts())
    other = make_camera(board(Move(kind="handheld"), seed=8), PictureFacts())
    assert not np.array_equal(one.x, other.x)
    for curve in (one.x, one.y, one.roll):
        assert curve[0] == 0
        assert np.abs(curve[1]) < 2e-5
        assert np.abs(np.diff(curve, 2)).max() < 0.0012
    assert 0.002 < one.x.std() < 0.01


@pytest.mark.parametrize("move", EVERY_MOVE, ids=lambda m: f"{m.kind}-{m.direction}-{m.speed}")
def test_a_camera_that_must_end_on_the_last_picture_comes_home(move: Move) -> None:
    made = rig(board(move, morph=True))
    assert made.pose(0).is_home
    last = made.pose(FRAMES - 1)
    at_x, at_y = aim(made, last)
    home_x, home_y = aim(made, made.pose(0))
    assert np.abs(at_x - home_x).max() < 0.05 and np.abs(at_y - home_y).max() < 0.05


PAN_THEN_ZOOM = (Move(kind="pan", direction="left"), Move(kind="zoom", direction="in"))


def in_turn(*moves: Move, cut: bool = False, morph: bool = False) -> Storyboard:
    """The moves one after the other, each for an equal part of the clip."""
    bounds = [round(FRAMES * n / len(moves)) for n in range(len(moves) + 1)]
    shots = tuple(
        Shot(start=start, end=end, moves=(move,), cut=cut and start > 0)
        for move, start, end in zip(moves, bounds[:-1], bounds[1:], strict=True)
    )
    return Storyboard(
        width=WIDTH, height=HEIGHT, frames=FRAMES, seed=1, language="en", audio=False, camera_fixed=False, morph=morph,
        shots=shots,
    )  # fmt: skip


@pytest.mark.parametrize("first", EVERY_MOVE, ids=lambda m: f"{m.kind}-{m.direction}-{m.speed}")
@pytest.mark.parametrize("second", [Move(kind="zoom"), Move(kind="orbit"), Move(kind="handheld"), Move(kind="static")])
def test_a_move_after_another_goes_on_from_where_it_ended(first: Move, second: Move) -> None:
    curves = make_camera(in_turn(first, second), PictureFacts(faces=(FaceFact(x=0.6, y=0.4, height=0.2),)))
    for axis in HOME:
        steps = np.abs(np.diff(getattr(curves, axis), 2))
        assert steps.max() < 0.004, axis  # no jump of speed, let alone of place


def test_a_cut_begins_at_home() -> None:
    facts = PictureFacts(faces=(FaceFact(x=0.6, y=0.4, height=0.2),))
    curves = make_camera(in_turn(*PAN_THEN_ZOOM, cut=True), facts, (WHOLE, WHOLE))
    start = round(FRAMES / 2)
    assert curves.pan[start - 1] < -0.05
    assert all(getattr(curves, axis)[start] == home for axis, home in HOME.items())


def test_moves_in_turn_come_home_to_a_last_picture() -> None:
    curves = make_camera(in_turn(*PAN_THEN_ZOOM, morph=True), PictureFacts())
    assert all(getattr(curves, axis)[-1] == pytest.approx(home) for axis, home in HOME.items())


def test_every_curve_is_float32_and_as_long_as_the_clip() -> None:
    curves = make_camera(board(Move(kind="orbit"), Move(kind="handheld"), frames=97), PictureFacts())
    assert curves.frames == 97
    assert all(getattr(curves, axis).dtype == np.float32 for axis in HOME)


def test_an_orbit_keeps_a_subject_in_view_but_where_a_side_cuts_it_anyway() -> None:
    move = board(Move(kind="orbit", direction="left"))

    def orbit(left: float) -> tuple[Rig, NDArray[np.float64]]:
        """About a diamond whose left end is there, shares of the width."""
        around = np.array([[left, 0.5], [0.4, 0.2], [0.8, 0.5], [0.4, 0.8]]) * [WIDTH, HEIGHT]
        made = rig(move, PictureFacts(subject_trust=0.9, subject_x=0.45, subject_y=0.5), keep=around)
        return made, around[0] + measure_move(made, *around[0])

    inside, end = orbit(0.06)
    assert inside.aside < 1
    assert end[0] > -1
    cut, end = orbit(0.01)
    assert cut.aside == 1
    assert end[0] < -1
    # What gives way is the turn, which takes the room; the background is still passed.
    turned = [made.pose(FRAMES - 1).yaw / cut.pose(FRAMES - 1).yaw for made in (inside, cut)]
    passed = [made.pose(FRAMES - 1).x / cut.pose(FRAMES - 1).x for made in (inside, cut)]
    assert turned[0] < passed[0] - 0.05
