"""What no step did is told with the words of the prompt, and nothing else is."""

from __future__ import annotations

import re

import pytest

from engines.diorama.script.test_prompts import board_of
from vivant.engines.diorama import words_chinese, words_english
from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import PictureFacts
from vivant.request import Canvas


def quoted(prompt: str) -> list[str]:
    """All phrases that the notes of a portrait's prompt quote."""
    return [phrase for note in board_of(prompt).notes for phrase in re.findall("“([^”]*)”", note)]


@pytest.mark.parametrize(
    ("prompt", "phrase"),
    [
        ("She tucks her hair behind her ear.", "tucks her hair behind her ear"),
        ("The woman storms into the cockpit.", "storms into the cockpit"),
        ("He leans forward, pointing his finger.", "pointing his finger"),
        ("A cyclist waits, then begins to pedal uphill.", "pedal uphill"),
        ("Two cats wearing gloves fight each other.", "fight each other"),
        ("The man in the corner raises his glass.", "raises his glass"),
        ("She sits down.", "sits down"),
        ("A golden retriever bounds across the lawn.", "bounds across the lawn"),
        ("The chef drizzles sauce over the plate.", "drizzles sauce over the plate"),
        ("The girl with braids skips rope.", "skips rope"),
        ("The lid pops off and soda bursts out.", "bursts out"),
        ("He hands her the letter.", "hands her the letter"),
        ("The old clockmaker winds the clock.", "winds the clock"),
        ("A woman closes the door, sits on the scooter, starts it, and rides away.", "rides away"),
        ("The background glows.", "glows"),
        ("The toaster pops.", "toaster pops"),
        ("黑衣剑士冲过来，一甩衣袖，拂袖而去。", "拂袖而去"),
        ("男孩翻着羊肉串。", "翻着羊肉串"),
        ("一名少女拔剑，俯冲而下。", "俯冲"),
        ("石阶两侧的石灯笼逐一亮起。", "灯笼逐一亮起"),
        ("音效：筷子碰碗的清脆声。", "筷子碰碗的清脆声"),
        ("A bus turns the corner.", "turns the corner"),
        ("Her breath fogs in the cold air.", "breath fogs"),
        ("His breath is visible in the cold.", "breath is visible"),
        ("女孩呼出白气。", "呼出白气"),
        ("The neon signs flicker.", "neon signs flicker"),
        ("A castle appears in the sky.", "appears in the sky"),
        ("Audio: war horns blaring, the hiss of the atomizer.", "hiss of the atomizer"),
        ("女孩轻轻把头发别到耳后。", "把头发别到耳后"),
        ("男人打翻花瓶，抬手指向门口。", "打翻花瓶"),
        ("女孩走进房间，拿起桌上的杯子。", "拿起桌上的杯子"),
        ("路灯变红。", "路灯变红"),
        ("窗外传来警笛声。", "警笛声"),
        ("一只海龟悠然游动。", "游动"),
        ("Steam hisses from the espresso machine.", "hisses from the espresso machine"),
        ("Gold particles assemble into a logo.", "assemble into a logo"),
        ("She types furiously on the keyboard.", "types furiously on the keyboard"),
        ("She adjusts her glasses.", "adjusts her glasses"),
        ("One scrolls on his phone, another shifts the bag.", "scrolls on his phone"),
        ("He blows the smoke away.", "blows the smoke away"),
        ("Time freezes while he stands there.", "Time freezes"),
        ("An uncertain expression, cold light.", "uncertain expression"),
        ("女人神情紧张。", "神情紧张"),
        ("学生手舞足蹈。", "手舞足蹈"),
        ("少女在深蓝色的海底缓缓下沉。", "下沉"),
        ("老奶奶轻轻摇着蒲扇。", "摇着蒲扇"),
        ("年轻的车手紧握方向盘。", "紧握方向盘"),
        ("女孩夹起一片莲藕，吹吹，塞进嘴里。", "塞进嘴里"),
        ("画面变成黑白。", "画面变成黑白"),
        ("远处传来剑气破空声。", "破空声"),
        ("气球缓缓升上天空。", "升上天空"),
        ("把女主推进水里", "把女主推进水里"),
        ("Crowd laughter. The man nods.", "Crowd laughter"),
        ("几只海鸥优雅地滑翔。", "滑翔"),
        ("一只芝士汉堡被缓缓抬起。", "被缓缓抬起"),
        ("少女用右手整理了一下发丝。", "整理了一下发丝"),
        ("She ends with a thumbs up.", "a thumbs up"),
        ("He sinks to his knees.", "sinks to his knees"),
    ],
)
def test_what_cannot_be_done_is_quoted(prompt: str, phrase: str) -> None:
    assert phrase in quoted(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "A woman sits at a table, wearing a red coat and holding a cup.",
        "Cinematic, 4K, no distortion, shallow depth of field, photorealistic.",
        "Walking bassline, hip-hop beat.",
        "A paint-stained apron, a spotlight beam, subtle lens bloom.",
        "The Rushed Intro: a woman looks at the camera.",
        "Warm light catching their face.",
        "Dolly zoom: the background stretches.",
        "She does not move and never walks.",
        "It looks as if she were flying.",
        "“Run, jump and dance!” says the man.",
        "Negative prompt: people walking, cars driving, text appears",
        "一位女士坐在桌边，身穿红色大衣，手持杯子。",
        "电影感，4K，浅景深，吃播视频风格，写实。",
        "负面提示词：人物走动，画面抖动，文字出现",
        "她没有奔跑，也不要跳舞。",
        "女人举着写有“欢迎回家”的牌子。",
        "A premium coffee machine stands on the counter, a calm expression on her face.",
        "She has a nervous smile.",
    ],
)
def test_what_asks_for_nothing_is_not_quoted(prompt: str) -> None:
    assert quoted(prompt) == []


def test_what_a_step_did_is_not_quoted() -> None:
    assert quoted("She smiles and nods. Snow drifts past. Leaves rustle in the wind. The camera pans left.") == []


def test_each_kind_is_told_in_one_sentence() -> None:
    notes = board_of("She walks away. The dog jumps over it. A car drives off. He waves goodbye.").notes
    assert [re.findall("“([^”]*)”", note) for note in notes] == [
        ["walks away", "waves goodbye"],
        ["jumps over it"],
        ["drives off"],
    ]


def test_of_sounds_nothing_is_said_in_a_clip_without_sound() -> None:
    canvas = Canvas.of("480p", "16:9", 5)
    made = write(
        "War horns blaring.", PictureFacts(), canvas=canvas, seed=1, audio=False, camera_fixed=False, morph=False
    )
    assert made.notes == ()


def test_english_and_chinese_words_have_their_parts_of_speech() -> None:
    assert words_english.tag(["She", "prepares", "drinks", "."]) == ["PRP", "VBZ", "NNS", "."]
    assert [words_chinese.tag(word) for word in ("杯子", "打翻", "她", "把")] == ["n", "v", "r", "p"]
    assert words_chinese.tag("没有这个词呀") == "x"


@pytest.mark.parametrize(
    "prompt",
    [
        "Rows of trees left and right.",
        "Glass perfume bottle on white marble surface.",
        "Nobody is running.",
        "She flashes a quick smile.",
        "[风格] 打斗风格\n[人物] 大师：新郎装扮",
        "打斗场面非常华丽。",
        "摄像机以惊人的速度向前冲刺。",
        "她露出一抹微笑。",
    ],
)
def test_descriptions_and_what_the_camera_does_are_not_quoted(prompt: str) -> None:
    assert quoted(prompt) == []


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("The woman storms into the cockpit.", "rain"),
        ("He smokes a pipe.", "smoke"),
        ("She fires the gun.", "fire"),
    ],
)
def test_what_a_person_does_is_no_weather(prompt: str, kind: str) -> None:
    made = board_of(prompt)
    assert kind not in {motion.kind for motion in made.motions}


@pytest.mark.parametrize(
    "prompt",
    [
        "The street is lined with palm trees, cars parked on both sides.",
        "A scar runs down his cheek.",
        "The path winds through tall grass toward a cabin.",
        "Make it look like a 90s music video.",
        "Morning after a full night of rain, warm colors.",
        "A boxer, muddy gloves, fists in the air.",
        "一条小路蜿蜒通向山顶的寺庙。",
        "手别变形，四个字别变形。",
    ],
)
def test_what_is_only_seen_or_denied_is_not_quoted(prompt: str) -> None:
    assert quoted(prompt) == []
