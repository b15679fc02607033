"""The command line of a clip: each placeholder one argument, whatever it holds."""

from __future__ import annotations

import pytest

from vivant.engines.command.template import PLACEHOLDERS, Template
from vivant.setting_kinds import command

VALUES: dict[str, str | None] = {**dict.fromkeys(PLACEHOLDERS, "x"), "last_image": None}


def fill(line: str, **values: str | None) -> list[str]:
    return Template.parse(command(line)).fill({**VALUES, **values})


def test_placeholders_are_replaced_and_each_part_stays_one_argument() -> None:
    line = "ltx generate --image {image} -p '{prompt}' -s {seed} --size={width}x{height} -o {output}"
    assert fill(line, image="/t/a b.png", prompt='a "b"; rm -rf / $(x) `y` | z', seed="7", width="2", height="3") == [
        "ltx", "generate", "--image", "/t/a b.png", "-p", 'a "b"; rm -rf / $(x) `y` | z', "-s", "7", "--size=2x3", "-o",
        "x",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["{seed}", "{output}{image}", "{{prompt}}", "[x]", "{", "%s"])
def test_what_a_caller_writes_is_not_looked_into_again(value: str) -> None:
    assert fill("p {image} {prompt} {output}", prompt=value) == ["p", "x", value, "x"]


@pytest.mark.parametrize("prompt", ["-o/etc/passwd", "--help", "-"])
def test_a_prompt_cannot_be_read_as_an_option(prompt: str) -> None:
    assert fill("p {image} -p {prompt} {output}", prompt=prompt)[3] == f" {prompt}"
    assert fill("p {image} --prompt={prompt} {output}", prompt=prompt)[2] == f"--prompt={prompt}"


def test_a_group_is_left_out_when_a_value_is_absent() -> None:
    line = "p {image} [--end {last_image}] [--both {seed} {last_image} x] [-v] {prompt} {output}"
    assert fill(line) == ["p", "x", "-v", "x", "x"]
    assert fill(line, last_image="/l.png") == [
        "p", "x", "--end", "/l.png", "--both", "x", "/l.png", "x", "-v", "x", "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("p {image} {prompt} {output} {colour}", "no other placeholders"),
        ("{image} {prompt} {output}", "begin with a program"),
        ("[p] {image} {prompt} {output}", "begin with a program"),
        ("p {prompt} {output}", "image lacks"),
        ("p {image} {prompt}", "output lacks"),
        ("p {image} {output}", "{prompt} or {prompt_file}"),
        ("p {image} {prompt} [{output} {last_image}]", "outside of optional groups"),
        ("p {image} {prompt} {output} [--a [--b]]", "no group"),
        ("p {image} {prompt} {output} [--a", "close each group"),
    ],
)
def test_a_template_that_cannot_work_says_what_it_must_have(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=rf"must.*{words}"):
        Template.parse(command(line))


def test_an_absent_value_outside_of_a_group_is_named() -> None:
    template = Template.parse(command("p {image} {last_image} {prompt_file} {output}"))
    assert template.needs_last_image and template.takes_last_image
    with pytest.raises(ValueError, match="last_image"):
        template.fill(VALUES)
