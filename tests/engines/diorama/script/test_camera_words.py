"""Camera words in many sentences: whatever stands around them, the move is the same. What is no camera moves none."""

from __future__ import annotations

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, Move, PictureFacts, Shot, Storyboard
from vivant.request import Canvas

ORDERS = {
    "pan left": ("pan", "left"),
    "pan to the right": ("pan", "right"),
    "tilt up": ("tilt", "up"),
    "tilt down": ("tilt", "down"),
    "zoom in": ("zoom", "in"),
    "zoom-out": ("zoom", "out"),
    "dolly in": ("dolly", "in"),
    "push-in": ("dolly", "in"),
    "pull back": ("dolly", "out"),
    "truck right": ("truck", "right"),
    "crane up": ("pedestal", "up"),
    "pedestal down": ("pedestal", "down"),
    "orbit clockwise": ("orbit", "clockwise"),
    "arc shot": ("orbit", ""),
    "whip pan": ("whip", ""),
    "whip pan to the left": ("whip", "left"),
    "dolly zoom": ("dolly_zoom", "out"),
    "rack focus": ("rack_focus", "out"),
    "dutch tilt clockwise": ("roll", "clockwise"),
}
SENTENCES = [
    "{}",
    "Slow {}",
    "A very slow {} over the valley",
    "cinematic {}, 4K",
    "She smiles at him, then a gentle {}",
    "Camera: {}",
    "{} as she looks at the sea",
    "A woman stands in the rain. {}.",
    "Dramatic {}; soft light",
    "Shot on 35mm, {}, shallow depth of field",
    "A man sits by the fire, smoothly {}",
]
VERBS = {
    "pans left": ("pan", "left"),
    "slowly turns to the right": ("pan", "right"),
    "tilts upward": ("tilt", "up"),
    "zooms in on her face": ("zoom", "in"),
    "pushes slowly in": ("dolly", "in"),
    "moves closer to him": ("dolly", "in"),
    "pulls away from the house": ("dolly", "out"),
    "slides to the left": ("truck", "left"),
    "drifts right": ("truck", "right"),
    "rises above the trees": ("pedestal", "up"),
    "descends to the street": ("pedestal", "down"),
    "circles around the statue": ("orbit", ""),
    "rotates clockwise": ("roll", "clockwise"),
    "shakes": ("handheld", ""),
    "remains completely still": ("static", ""),
}
SUBJECTS = [
    "The camera {}",
    "the camera then {}",
    "As she sings, the camera {}",
    "Our camera gently {}",
    "camera {} while he waits",
]
CHINESE = {
    "向左摇": ("pan", "left"),
    "缓缓向右摇": ("pan", "right"),
    "慢慢推近": ("dolly", "in"),
    "向前推进": ("dolly", "in"),
    "快速拉远": ("dolly", "out"),
    "向左平移": ("truck", "left"),
    "缓慢上升": ("pedestal", "up"),
    "下降": ("pedestal", "down"),
    "上摇": ("tilt", "up"),
    "环绕着她": ("orbit", ""),
    "向右移动": ("truck", "right"),
    "保持不动": ("static", ""),
    "轻微晃动": ("handheld", ""),
}
FOCUS = {
    "Rack focus from the foreground to the distant mountains.": "out",
    "The focus shifts from the background to her face.": "in",
    "Focus pull to the flower.": "in",
    "焦点从前景转移到远山": "out",
    "焦点从背景转移到人物": "in",
}
CHINESE_SENTENCES = [
    "镜头{}",
    "镜头{}，女孩微笑",
    "微风吹过，镜头{}",
    "女孩看着远方，此时镜头{}",
    "【镜头】{}",
    "镜头：{}。音乐：钢琴",
]


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("order", ORDERS)
def test_an_order_to_the_camera_is_obeyed(order: str, sentence: str) -> None:
    assert first_move(sentence.format(order)) == ORDERS[order]


@pytest.mark.parametrize("prompt", FOCUS)
def test_a_focus_goes_to_what_is_named_last(prompt: str) -> None:
    assert first_move(prompt) == ("rack_focus", FOCUS[prompt])


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("verb", VERBS)
def test_what_the_camera_does_is_filmed(verb: str, subject: str) -> None:
    assert first_move(subject.format(verb)) == VERBS[verb]


@pytest.mark.parametrize("sentence", CHINESE_SENTENCES)
@pytest.mark.parametrize("verb", CHINESE)
def test_chinese_camera_words_are_understood(verb: str, sentence: str) -> None:
    assert first_move(sentence.format(verb)) == CHINESE[verb]


@pytest.mark.parametrize(
    "prompt",
    [
        "The woman {}",
        "She looks at the camera, then she {}",
        "A car {}",
        "The old elevator {}",
        "A boy with a camera {}",
        "He lowers the camera and {}",
    ],
)
@pytest.mark.parametrize(
    "verb",
    [
        "turns to the right",
        "moves closer",
        "slides to the left",
        "rises",
        "descends",
        "shakes",
        "drifts right",
        "pulls away",
    ],
)
def test_what_others_do_does_not_move_the_camera(verb: str, prompt: str) -> None:
    assert shots(prompt.format(verb))[0].moves[0].origin == "default"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "denial", ["no {}", "without any {}", "avoid {} please", "There should be no {} in this clip", "do not {}"]
)
def test_a_denied_move_leaves_the_camera_still(denial: str, order: str) -> None:
    assert first_move(denial.format(order)) == ("static", "")


@pytest.mark.parametrize("join", [", then ", " followed by ", ". Then ", " → ", ", and finally "])
def test_moves_in_turn_become_shots(join: str) -> None:
    found = shots(f"pan left{join}zoom in")
    assert [(shot.moves[0].kind, len(shot.moves)) for shot in found] == [("pan", 1), ("zoom", 1)]


@pytest.mark.parametrize(
    ("prompt", "kind", "ways"),
    [
        ("Whip pan to the right and come back.", "whip", ["right", "left"]),
        ("The camera pans left, then returns to the man.", "pan", ["left", "right"]),
        ("The camera pushes in, then comes back.", "dolly", ["in", "out"]),
        ("镜头向右摇，再摇回来。", "pan", ["right", "left"]),
        ("The camera tilts up. The dog comes back.", "tilt", ["up"]),
    ],
)
def test_the_way_back_is_the_last_move_the_other_way(prompt: str, kind: str, ways: list[str]) -> None:
    moves = [shot.moves[0] for shot in shots(prompt)]
    assert [move.kind for move in moves] == [kind] * len(ways)
    assert [move.direction for move in moves] == ways


@pytest.mark.parametrize("prompt", ["The camera comes back.", "Static camera, then it swings back.", "镜头回到原位。"])
def test_a_way_back_from_nowhere_is_told(prompt: str) -> None:
    assert any("before it" in note or "此前" in note for note in board(prompt).notes)


def test_a_way_back_goes_the_other_way_where_nobody_says_which_way_it_went() -> None:
    there, back = (shot.moves[0].direction for shot in shots("Whip pan, then whip back"))
    assert {there, back} == {"left", "right"}


@pytest.mark.parametrize("join", [" and ", " with a slight ", " while doing a ", ", "])
def test_moves_named_together_happen_together(join: str) -> None:
    (shot,) = shots(f"The camera does a pan left{join}zoom in")
    assert {move.kind for move in shot.moves} == {"pan", "zoom"}


@pytest.mark.parametrize(
    ("words", "speed"), [("slow", "slow"), ("very slow", "slow"), ("fast", "fast"), ("quick", "fast"), ("", "normal")]
)
def test_words_of_speed_are_understood(words: str, speed: str) -> None:
    assert shots(f"{words} zoom in")[0].moves[0].speed == speed


def test_words_of_amount_are_understood() -> None:
    slight, usual, strong = (shots(f"{words} zoom in")[0].moves[0].strength for words in ("slight", "", "dramatic"))
    assert slight < usual < strong


def first_move(prompt: str) -> tuple[str, str]:
    move: Move = shots(prompt)[0].moves[0]
    assert move.origin == "prompt", "the camera words were not heard"
    named = (
        move.direction
        if move.kind not in ("orbit", "pan", "whip") or move.direction in prompt or _chinese(prompt)
        else ""
    )
    return move.kind, "" if move.kind == "orbit" and move.direction not in prompt else named


@pytest.mark.parametrize(
    "prompt",
    [
        "Close-up shots of dew drops on tea leaves.",
        "咖啡师将奶泡倒入杯中，拉出一朵花。",
        "连帽衫的袖子推到肘部。",
        "芝士在面包之间拉出浓稠的长丝。",
    ],
)
def test_what_is_no_verb_of_the_camera_moves_nothing(prompt: str) -> None:
    assert all(move.origin == "default" for shot in shots(prompt) for move in shot.moves)


def test_a_direction_before_the_verb_is_read_whole() -> None:
    assert [(m.kind, m.direction) for m in shots("缓慢的从左到右的摇摄")[0].moves] == [("pan", "right")]


def test_the_eyes_of_somebody_shake_the_camera_only_where_nothing_else_moves_it() -> None:
    assert shots("POV of a hiker.")[0].moves[0].kind == "handheld"
    moves = [
        move.kind for shot in shots("The hiker's POV of a valley. The camera slowly pulls back.") for move in shot.moves
    ]
    assert moves == ["dolly"]


def _chinese(prompt: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in prompt)


def board(prompt: str) -> Storyboard:
    facts = PictureFacts(faces=(FaceFact(x=0.5, y=0.4, height=0.3),))
    return write(
        prompt, facts, canvas=Canvas.of("480p", "16:9", 5), seed=3, audio=True, camera_fixed=False, morph=False
    )


def shots(prompt: str) -> tuple[Shot, ...]:
    return board(prompt).shots


def asked_moves(prompt: str) -> list[str]:
    canvas = Canvas.of("480p", "16:9", 5)
    board = write(prompt, PictureFacts(), canvas=canvas, seed=1, audio=False, camera_fixed=False, morph=False)
    return [move.kind for shot in board.shots for move in shot.moves if move.origin == "prompt"]


@pytest.mark.parametrize(
    "prompt", ["The camera tilts sideways.", "The camera tilts into a dutch angle.", "A tilted frame."]
)
def test_a_camera_that_tilts_sideways_only_rolls(prompt: str) -> None:
    assert asked_moves(prompt) == ["roll"]


@pytest.mark.parametrize("prompt", ["飞机抖动。", "风筝越飞越高。"])
def test_what_a_thing_does_is_not_what_the_camera_does(prompt: str) -> None:
    assert asked_moves(prompt) == []
