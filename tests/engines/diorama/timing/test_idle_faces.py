from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest

from support.spoken import SENTENCE, spoken_line
from vivant.engines.diorama.storyboard import Action, ActionKind, FaceFact
from vivant.engines.diorama.timing.acting import PlacedAction
from vivant.engines.diorama.timing.faces import make_faces
from vivant.engines.diorama.timing.head_limit import LIMIT
from vivant.media import F32

FACES = (FaceFact(x=0.3, y=0.4, height=0.4), FaceFact(x=0.7, y=0.4, height=0.4))
NAMES = ("lids", "wink", "yaw", "pitch", "roll", "breath", "lean", "brow", "smile", "gaze")


def placed(*actions: Action, frames: int = 121) -> tuple[PlacedAction, ...]:
    """All from half a second on, to the end of the clip."""
    return tuple(PlacedAction(action=action, start=12, end=frames) for action in actions)


def blinks(lids: F32) -> list[tuple[int, int]]:
    """(first, last) frame of each stretch in which the lids are not as in the picture."""
    moved = np.flatnonzero(np.diff(np.concatenate([[0], (lids > 0).astype(int), [0]])))
    return [(int(a), int(b) - 1) for a, b in moved.reshape(-1, 2)]


@pytest.mark.parametrize("settle", [False, True])
def test_every_curve_begins_at_rest_and_ends_there_if_it_must_settle(settle: bool) -> None:
    actions = placed(
        Action(kind="smile"), Action(kind="nod"), Action(kind="frown", face_index=1), Action(kind="look_left")
    )
    faces = make_faces(121, 7, FACES, [spoken_line(SENTENCE)], actions, settle=settle)
    for curve in (getattr(face, field.name) for face in faces for field in fields(face)):
        assert curve.shape == (121,)
        assert curve.dtype == np.float32
        assert curve[0] == 0
        assert np.abs(curve[1]) < 0.2
        if settle:
            assert curve[-1] == 0


def test_a_face_blinks_at_least_once_in_five_seconds_and_shuts_its_eyes_when_it_does() -> None:
    for seed in range(60):
        lids = make_faces(121, seed, FACES[:1], (), ())[0].lids
        found = blinks(lids)
        assert 1 <= len(found) <= 2
        for first, last in found:
            assert lids[first : last + 1].max() == 1.0


def test_blinks_come_three_to_six_seconds_apart_and_irregularly() -> None:
    apart: list[float] = []
    for seed in range(20):
        found = blinks(make_faces(289, seed, FACES[:1], (), ())[0].lids)
        apart += [(b[0] - a[0]) / 24 for a, b in pairwise(found)]
    assert min(apart) >= 2.8
    assert max(apart) <= 6.8
    assert np.std(apart) > 0.4


def test_lids_close_in_100_to_150_ms_and_open_in_200_to_300() -> None:
    for seed in range(20):
        lids = make_faces(289, seed, FACES[:1], (), ())[0].lids
        for first, last in blinks(lids):
            shut = np.flatnonzero(lids[first : last + 1] == 1.0)
            closing, opening = shut[0] + 1, (last - first) - shut[-1] + 1  # frames from open to shut and back
            assert 2 <= closing <= 4
            assert 5 <= opening <= 8


def test_blinks_prefer_pauses_of_speech() -> None:
    line = spoken_line(SENTENCE, start=0.4)
    comma = 0.4 + sum(seconds for _, seconds in SENTENCE[:10]) + 0.1
    near = 0
    for seed in range(40):
        lids = make_faces(121, seed, FACES[:1], [line], ())[0].lids
        near += any(abs(first + 3 - comma * 24) <= 2 for first, _ in blinks(lids))
    assert near > 20  # chance alone would bring about 5


def test_two_faces_do_not_blink_or_sway_together() -> None:
    curves = make_faces(289, 1, FACES, (), ())
    assert blinks(curves[0].lids) != blinks(curves[1].lids)
    assert abs(np.corrcoef(curves[0].yaw, curves[1].yaw)[0, 1]) < 0.95


def test_heads_stay_within_their_limit_whatever_they_are_told() -> None:
    kinds: tuple[ActionKind, ...] = ("nod", "shake_head", "look_left", "tilt_head", "look_up", "sway", "laugh")
    actions = placed(*(Action(kind=kind) for kind in kinds), frames=289)
    for seed in range(10):
        curves = make_faces(289, seed, FACES[:1], [spoken_line(SENTENCE)], actions)
        total = np.sum([np.abs(getattr(curves[0], name)) for name in ("yaw", "pitch", "roll")], axis=0)
        assert total.max() <= LIMIT + 1e-4
        assert total.max() > 10


def test_a_head_moves_smoothly() -> None:
    curves = make_faces(289, 4, FACES[:1], [spoken_line(SENTENCE)], ())
    for name in ("yaw", "pitch", "roll"):
        assert np.abs(np.diff(getattr(curves[0], name))).max() < 0.9  # degrees per frame


def test_a_speaker_moves_its_head_more_than_a_listener() -> None:
    lines = [spoken_line(SENTENCE * 3, start=0.4)]
    speaks = listens = 0.0
    for seed in range(12):
        curves = make_faces(145, seed, FACES, lines, ())
        speaks += float(np.abs(np.diff(curves[0].pitch)).sum())
        listens += float(np.abs(np.diff(curves[1].pitch)).sum())
    assert speaks > 1.5 * listens


def test_a_speaker_nods_and_lifts_the_brows_at_stressed_syllables_and_draws_breath_before_the_line() -> None:
    line = spoken_line(SENTENCE * 2, start=1.5)
    stressed = [round(24 * (1.5 + phone.start + 0.05)) for phone in line.spoken.phones if phone.accent]
    nods = brows = drawn = 0.0
    for seed in range(20):
        speaks = make_faces(121, seed, FACES[:1], [line], ())[0]
        listens = make_faces(121, seed, FACES[:1], (), ())[0]
        dips = speaks.pitch - 0.5 * (np.roll(speaks.pitch, 8) + np.roll(speaks.pitch, -8))
        nods += float(dips[stressed].mean() - dips[40:100].mean()) / 20
        brows += float((speaks.brow - listens.brow)[stressed].mean() - (speaks.brow - listens.brow)[40:100].mean()) / 20
        drawn += float((speaks.breath - listens.breath)[33:36].mean()) / 20
    assert nods > 0.2  # degrees
    assert brows > 0.05
    assert drawn > 0.05


def test_a_face_is_alive_in_every_quarter_of_a_second_after_its_line() -> None:
    line = spoken_line(SENTENCE, start=0.3)
    for seed in range(10):
        face = make_faces(169, seed, FACES[:1], [line], ())[0]
        after = slice(round(line.end / 2000) + 12, 168)
        moved = sum(np.abs(np.diff(getattr(face, name)[after])) for name in ("yaw", "pitch", "roll"))
        assert np.convolve(moved, np.ones(12), "valid").min() > 0.2  # degrees in half a second
        assert np.ptp(face.lean[after]) > 0.1
        assert np.ptp(face.breath[after]) > 0.3
        assert np.ptp(face.gaze[after]) > 0.1


@pytest.mark.parametrize("height", [0.17, 0.4])
def test_a_head_is_at_no_time_quite_at_rest(height: float) -> None:
    told = [placed(Action(kind=kind)) for kind in ("smile", "turn_head", "sad")]
    for seed in range(12):
        for lines, actions in (((), ()), ([spoken_line(SENTENCE, start=0.3)], ()), *(((), one) for one in told)):
            face = make_faces(145, seed, [FaceFact(x=0.3, y=0.4, height=height)], lines, actions)[0]
            # Pixels per frame, of 640, by which the nose goes on, or the crown of the head where that is more.
            yaw, pitch, roll = (np.diff(np.deg2rad(getattr(face, name))) for name in ("yaw", "pitch", "roll"))
            lean = 0.07 * np.diff(face.lean)
            nose = np.hypot(0.8 * (yaw + roll) + lean, 0.76 * pitch)
            crown = np.hypot(0.3 * yaw + 1.6 * roll + lean, 0.3 * pitch)
            speed = 640 * height * np.maximum(nose, crown)[12:]
            assert np.convolve(speed, np.ones(8) / 8, "valid").min() > 0.27  # a third of a second
            assert min(np.median(quarter) for quarter in np.array_split(speed, 4)) > 0.5


def test_a_head_beats_time_in_a_line_without_marks_of_stress() -> None:
    flat = [(symbol, seconds) for symbol, seconds in SENTENCE * 3 if symbol != "ˈ"]
    moved = 0.0
    for seed in range(10):
        speaks = make_faces(121, seed, FACES[:1], [spoken_line(flat, start=0.5)], ())[0]
        moved += float(np.abs(np.diff(speaks.pitch[16:96], 2)).mean()) / 10  # quick, and not the slow sway
    assert moved > 0.02


def test_small_faces_move_more_so_that_it_is_seen() -> None:
    near, far = (FaceFact(x=0.5, y=0.4, height=height) for height in (0.42, 0.16))
    for seed in range(5):
        yaw = [np.abs(np.diff(make_faces(121, seed, (face,), (), ())[0].yaw)).mean() for face in (near, far)]
        assert yaw[1] > 1.4 * yaw[0]


def test_eyes_glance_aside_in_jumps_and_hold_between_them() -> None:
    for seed in range(10):
        gaze = make_faces(121, seed, FACES[:1], (), ())[0].gaze
        assert (np.diff(gaze) == 0).mean() > 0.6
        assert 0.15 < np.abs(gaze).max() < 0.5


def test_breath_comes_at_a_resting_rate() -> None:
    for seed in range(10):
        breath = make_faces(289, seed, FACES[:1], (), ())[0].breath
        assert breath.min() >= 0
        assert breath.max() <= 1
        peaks = np.flatnonzero((breath[1:-1] > breath[:-2]) & (breath[1:-1] >= breath[2:]))
        periods = np.diff(peaks) / 24
        assert ((periods > 2.8) & (periods < 6.0)).all()
        assert len(peaks) >= 2


@pytest.mark.parametrize(
    ("kind", "name", "sign"),
    [("smile", "smile", 1), ("frown", "smile", -1), ("look_left", "yaw", -1), ("look_right", "yaw", 1),
     ("surprise", "brow", 1), ("tilt_head", "roll", 1), ("sad", "smile", -1), ("close_eyes", "lids", 1)],
)  # fmt: skip
def test_a_face_does_what_it_was_told(kind: ActionKind, name: str, sign: int) -> None:
    told = make_faces(121, 2, FACES, (), placed(Action(kind=kind, face_index=1)))
    untold = make_faces(121, 2, FACES, (), ())
    change = getattr(told[1], name)[30:66].mean() - getattr(untold[1], name)[30:66].mean()
    assert sign * change > 0.3
    assert np.array_equal(getattr(told[0], name), getattr(untold[0], name))


def test_a_wink_shuts_one_eye_once_and_leaves_the_other_to_its_blinks() -> None:
    told = make_faces(121, 2, FACES[:1], (), placed(Action(kind="wink")))
    ((first, last),) = blinks(told[0].wink)
    assert told[0].wink.max() == 1
    assert last - first < 24
    assert np.array_equal(told[0].lids, make_faces(121, 2, FACES[:1], (), ())[0].lids)


def test_a_blink_that_was_asked_for_comes_early() -> None:
    for seed in range(10):
        lids = make_faces(121, seed, FACES[:1], (), placed(Action(kind="blink")))[0].lids
        assert any(first < 30 for first, _ in blinks(lids))


def test_a_happy_line_brings_a_smile_and_a_sad_one_takes_it_away() -> None:
    assert make_faces(121, 1, FACES[:1], [spoken_line(SENTENCE, tone="happy")], ())[0].smile[36] > 0.1
    assert make_faces(121, 1, FACES[:1], [spoken_line(SENTENCE, tone="sad")], ())[0].smile[36] < -0.1


def test_the_same_seed_gives_the_same_motion_and_another_seed_another() -> None:
    first, again, other = (make_faces(121, seed, FACES, [spoken_line(SENTENCE)], ()) for seed in (3, 3, 4))
    assert all(np.array_equal(getattr(first[0], name), getattr(again[0], name)) for name in NAMES)
    assert any(not np.array_equal(getattr(first[0], name), getattr(other[0], name)) for name in NAMES)
