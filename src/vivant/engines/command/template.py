"""The command line of a clip, out of the operator's template. There is no shell: each part is one argument, whatever a
caller's prompt holds.

    ltx-2-mlx generate --prompt={prompt} --image {image} [--end {last_image}] -W {width} -H {height} -o {output}

`{name}` is replaced; arguments between `[` and `]` are left out when a placeholder among them has no value. A prompt
that begins with `-` could be read as an option: as an argument of its own it gets a blank in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# What a template may name. Empty values count as absent only for last_image.
PLACEHOLDERS: Final = frozenset({
    "image", "last_image", "prompt", "prompt_file", "width", "height", "frames", "seconds", "fps", "seed", "output",
    "task",
})  # fmt: skip
_NAME: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was checked. groups: arguments, and whether they are left out when a value is absent.

    Raises ValueError, which begins with "must", for one that cannot work.
    """

    groups: tuple[tuple[tuple[str, ...], bool], ...]

    @classmethod
    def parse(cls, parts: Sequence[str]) -> Template:
        """parts: the program and its arguments; a group's brackets stand at an argument's edge: `[--end`, `{x}]`."""
        groups = tuple(_split(parts))
        names = {name for arguments, _ in groups for part in arguments for name in _NAME.findall(part)}
        if unknown := names - PLACEHOLDERS:
            raise ValueError(
                f"must have no other placeholders than {', '.join(sorted(PLACEHOLDERS))}; it has "
                f"{', '.join(sorted(unknown))}"
            )
        if not groups or groups[0][1] or _NAME.search(groups[0][0][0]):
            raise ValueError("must begin with a program")
        if missing := {"image", "output"} - names:
            raise ValueError(f"must have the placeholders {{image}} and {{output}}; {', '.join(sorted(missing))} lacks")
        if not names & {"prompt", "prompt_file"}:
            raise ValueError("must have the placeholder {prompt} or {prompt_file}")
        required = {name for arguments, optional in groups if not optional for part in arguments
                    for name in _NAME.findall(part)}  # fmt: skip
        if not {"image", "output"} <= required:
            raise ValueError("must have {image} and {output} outside of optional groups")
        return cls(groups)

    @property
    def takes_last_image(self) -> bool:
        return any("{last_image}" in part for arguments, _ in self.groups for part in arguments)

    @property
    def needs_last_image(self) -> bool:
        """Whether it cannot work without one."""
        return any("{last_image}" in part for arguments, optional in self.groups if not optional for part in arguments)

    def fill(self, values: Mapping[str, str | None]) -> list[str]:
        """The command line. values: of every placeholder; None: absent. Raises ValueError when one is absent that
        stands outside of optional groups."""
        line: list[str] = []
        for arguments, optional in self.groups:
            names = {name for part in arguments for name in _NAME.findall(part)}
            absent = {name for name in names if values[name] is None}
            if absent and optional:
                continue
            if absent:
                raise ValueError(f"there is no {', '.join(sorted(absent))}, which the command needs.")
            line += [_fill(part, values) for part in arguments]
        return line


def _fill(part: str, values: Mapping[str, str | None]) -> str:
    filled = _NAME.sub(lambda found: values[found.group(1)] or "", part)  # once: values are not looked into again
    guarded = part.startswith("{prompt}") and filled.startswith("-")
    return f" {filled}" if guarded else filled


def _split(parts: Sequence[str]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """(arguments, whether they are optional), in order."""
    group: list[str] | None = None
    for part in parts:
        text = part
        if text.startswith("["):
            if group is not None:
                raise ValueError("must have no group [...] inside another")
            group, text = [], text[1:]
        closes = group is not None and text.endswith("]")
        text = text[:-1] if closes else text
        if group is None:
            yield (text,), False
            continue
        if text:
            group.append(text)
        if closes:
            yield tuple(group), True
            group = None
    if group is not None:
        raise ValueError("must close each group [...]")
