"""Who speaks, how it is marked that someone does, and what is heard where the voices cannot do what is asked."""

from __future__ import annotations

import pytest

from vivant.engines.diorama.script.script import write
from vivant.engines.diorama.storyboard import FaceFact, PictureFacts, Storyboard
from vivant.request import Canvas

TWO_FACES = PictureFacts(
    faces=(FaceFact(x=0.3, y=0.4, height=0.2), FaceFact(x=0.7, y=0.4, height=0.2)), subject=0.4, subject_trust=0.9
)


def board(prompt: str) -> Storyboard:
    canvas = Canvas.of("480p", "16:9", 10)
    return write(prompt, TWO_FACES, canvas=canvas, seed=1, audio=True, camera_fixed=False, morph=False)


def spoken(prompt: str) -> list[tuple[str, str]]:
    return [(line.speaker.name, line.text) for line in board(prompt).lines]


def test_speech_may_stand_between_tags_or_in_braces() -> None:
    assert spoken("The man says, <S>AI wins.<E> The woman replies, <S>Not yet.<E>") == [
        ("the man", "AI wins."),
        ("the woman", "Not yet."),
    ]
    assert spoken("女孩低声说：{我们走吧}。") == [("女孩", "我们走吧")]


@pytest.mark.parametrize("prompt", ["A portrait of {subject} in {style}.", "{a: 1, b: 2}", "She smiles <E>"])
def test_braces_that_nobody_speaks_are_no_speech(prompt: str) -> None:
    assert board(prompt).lines == ()


@pytest.mark.parametrize(
    ("prompt", "gender"),
    [
        ("老板娘热情地说：“里面请！”", "woman"),
        ("对面的闺蜜端着酒杯说：“真的吗？”", "woman"),
        ("公子拱手道：“有礼了。”", "man"),
        ("The duchess says, “Enchanted.”", "woman"),
        ("A noun that says nothing: the witness says, “I saw it.”", ""),
    ],
)
def test_a_noun_carries_gender_where_the_language_does(prompt: str, gender: str) -> None:
    assert board(prompt).lines[0].speaker.gender == gender


def test_a_pronoun_wins_over_what_readers_suppose_of_a_noun() -> None:
    assert board("The captain says, “Full speed ahead!”").lines[0].speaker.gender == "man"
    made = board("The captain lifts her head. She says, “Full speed ahead!”")
    assert made.lines[0].speaker.gender == "woman"


def test_no_grown_man_has_the_voice_of_a_boy() -> None:
    made = board("爸爸说：“走吧。”叔叔说：“好。”爷爷说：“等等。”哥哥说：“我来。”")
    assert "zm_yunxia" not in {line.voice for line in made.lines}


def test_what_is_heard_instead_of_a_dialect_or_a_song_is_told() -> None:
    assert any("“用四川话”" in note and "普通话" in note for note in board("她用四川话说：“你吃饭了没得？”").notes)
    assert any("“sings”" in note and "not sung" in note for note in board("She sings, “You are my sunshine.”").notes)
    assert board("A man says with a British accent, “Lovely.”").notes == ()


def test_signs_that_decorate_are_not_spoken() -> None:
    assert spoken('She says "+++ unbelievable +++"')[0][1] == "unbelievable"


@pytest.mark.parametrize(
    ("prompt", "who"),
    [
        ("周婷抬手指向林薇，带着哭腔说：{姐姐}。林薇冷笑，冷声说：{戏演完吗}。", ["周婷", "林薇"]),
        ("男人A：“签了吗？”\n男人B：“没有。”", ["男人A", "男人B"]),
        ('Character A (angrily): "You lied." Character B (softly): "I had to."', ["Character A", "Character B"]),
        ("女主（哭着）：你为什么要骗我？", ["女主"]),
        ("林薇：你来了吗？", ["林薇"]),
        ("王总拍案而起：“谁干的！”", ["王总"]),
        ('{"dialogue": {"character": "Yeti", "line": "Three videos per day!"}}', ["Yeti"]),
        ('{"对白": {"角色": "雪人", "台词": "每天三条视频！"}}', ["雪人"]),
    ],
)
def test_whoever_is_labelled_or_named_speaks(prompt: str, who: list[str]) -> None:
    assert [name for name, _ in spoken(prompt)] == who


def test_a_name_in_quotation_marks_is_that_of_the_noun_before_it() -> None:
    made = board("将穿白裙的女人定义为「周婷」。周婷抬手说：“走吧。”")
    assert [(line.speaker.name, line.speaker.gender) for line in made.lines] == [("周婷", "woman")]
    assert not any("周婷" in note for note in made.notes)


def test_characters_that_are_family_names_elsewhere_name_nobody() -> None:
    assert spoken("高楼林立，高楼外，女孩说：“真美。”") == [("女孩", "真美。")]


def test_a_mark_of_the_screenplay_takes_a_speaker_off_the_screen() -> None:
    for prompt in ('DETECTIVE (V.O.): "The city never sleeps."', "小明（画外音）：“妈，我回来了。”"):
        line = board(prompt).lines[0]
        assert line.speaker.off_screen and line.speaker.gender == "man"


def test_speech_without_words_is_told_with_the_words_that_ask_for_it() -> None:
    assert any("“talks silently”" in note for note in board("She talks silently to someone.").notes)
    assert any("“说着话”" in note for note in board("女孩说着话，笑了笑。").notes)


def test_a_tone_told_of_talking_holds_for_the_line_that_follows() -> None:
    made = board("A woman speaking excitedly to the camera. Her line: “Three videos per day.”")
    assert made.lines[0].tone == "excited"


def test_writing_that_appears_or_is_worn_is_not_spoken() -> None:
    assert spoken("片尾出现字幕“未完待续”，同时旁白说：“开始。”") == [("旁白", "开始。")]
    assert spoken("一个戴着“冠军”头带的男孩大喊：“加油！”") == [("男孩", "加油！")]


def test_whoever_is_off_camera_or_on_the_telephone_is_heard_and_not_seen() -> None:
    off_camera = board('A reporter off-camera asks, "What is your advice?"').lines[0].speaker
    assert (off_camera.name, off_camera.off_screen) == ("the reporter", True)
    remark = board('The woman (softly, off-screen): "I know."').lines[0].speaker
    assert (remark.name, remark.gender, remark.off_screen) == ("the woman", "woman", True)
    phone = board("手机里传来男声：“喂，你在哪？”").lines[0].speaker
    assert (phone.gender, phone.off_screen) == ("man", True)


def test_letters_may_be_the_labels_of_speakers() -> None:
    assert spoken("对话：\nA：你吃了吗？\nB：吃了，你呢？") == [("A", "你吃了吗？"), ("B", "吃了，你呢？")]


@pytest.mark.parametrize(
    ("prompt", "speaker", "unseen"),
    [
        ("Wu Song pauses and looks back. Internal monologue: “There is a tiger!”", "Wu Song", True),
        ("项羽（画外音）：“你可有悔？”", "项羽", True),
        ("虞姬：眼眶通红。虞姬看着他。她的声音沙哑：“生死无悔。”", "虞姬", False),
        ("近景的猫看着。镜头切到主人，她低声说：“换了新的。”", "主人", False),
        ("男主站在院中。敌人首领在阴影中低声说道：“拿下。”", "首领", False),
        ('Same couple from the photo. She goes (deadpan) "we are out of milk."', "she", False),
        ('A cop stands there. Pikachu waves. Pikachu only says "pika pika".', "Pikachu", False),
    ],
)
def test_names_that_no_list_has_speak_and_think(prompt: str, speaker: str, unseen: bool) -> None:
    (line,) = board(prompt).lines
    assert (line.speaker.name, line.speaker.off_screen) == (speaker, unseen)


def test_who_is_known_by_what_he_does_or_by_a_name_of_the_dictionary_speaks() -> None:
    assert spoken("西装男抬眼，压低声音：“非常大。”")[0][1] == "非常大。"
    assert board("西装男抬眼，压低声音：“非常大。”").lines[0].speaker.gender == "man"
    assert spoken("老赛车手看过来。他低声说：“出发吧。”") == [("赛车手", "出发吧。")]
    told = "左侧的黑衣包拯指着右侧的红衣陈世美，唱着：“刀对鞘？”包拯和陈世美看去。"
    assert spoken(told) == [("包拯", "刀对鞘？")]


def test_a_label_of_speech_takes_all_that_addresses_someone() -> None:
    assert spoken("台词2（女主，冷漠）：契约？顾总，当初是你说，我不配，现在求我？晚了！") == [
        ("女主", "契约？顾总，当初是你说，我不配，现在求我？晚了！")
    ]


def test_a_voice_from_outside_the_picture_is_unseen() -> None:
    line = board("画面外传来一声念白：“且慢！”").lines[0]
    assert (line.speaker.name, line.speaker.off_screen) == ("画面外", True)


def test_lettering_and_terms_are_not_spoken() -> None:
    assert spoken('Clean lettering on the machine clearly reads: "Brew Calm."') == []
    assert spoken("展现出“想触碰却收回手”的极致克制。") == []
    assert spoken("英文渐显第一行“Lucky Coffee”，第二行“Breakfast”。") == []
