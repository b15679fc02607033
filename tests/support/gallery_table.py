"""What is measured of the gallery's clips against what each needs: a row for each, as JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from support.gallery_cases import Case
from support.gallery_ranks import Rank
from support.liveliness import Liveliness, fastest

MOST_EQUAL: Final = 6  # frames in a row that may look alike: a quarter of a second
FIRST_DB: Final = 40.0  # PSNR of the luma of frame 0 against the picture, at least
STILL: Final = 0.3  # px per frame that what keeps still may move at most
LAST_DB: Final = 36.0  # of the last frame against the last picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is seen and measured of one case. Flows in px per frame at 640 px on the long side, by quarters."""

    case: Case
    needed: str
    flow: tuple[float, ...]  # in the region
    elsewhere: tuple[float, ...]
    changed: tuple[float, ...]  # share of the region, 0..1
    camera: tuple[float, ...]
    equal_frames: int
    first_db: float
    last_db: float | None  # None without a last picture
    share: float  # of what is needed that the weakest quarter reaches; 1 and more is enough
    faults: tuple[str, ...]  # in words; none: all that is needed is there
    understood: tuple[str, ...]  # lines of `--explain`
    made: str  # when, UTC
    in_place: float | None = None  # share of all that moves that lies in the region, 0..1; None: of an earlier form


def judge(case: Case, found: Liveliness, first_db: float, last_db: float | None, understood: tuple[str, ...]) -> Row:
    quarters = found.quarters
    needs = [
        ("the region moves {:.2f} px per frame in the weakest quarter", found.flow, case.at_least),
        ("{:.3f} of the region changes in the weakest quarter", min(q.changed for q in quarters), case.changed),
        ("the camera moves {:.2f} px per frame", found.camera, case.camera),
    ]
    faults = [f"{told.format(got)}; {need:g} are needed" for told, got, need in needs if got < need]
    if case.still and (moved := fastest(found.heat, case.still)) > STILL:
        faults.append(f"what has to keep still moves {moved:.2f} px per frame")
    if found.equal_frames > MOST_EQUAL:
        faults.append(f"{found.equal_frames} frames in a row are equal")
    if first_db < FIRST_DB:
        faults.append(f"frame 0 is {first_db:.1f} dB from the picture")
    if last_db is not None and last_db < LAST_DB:
        faults.append(f"the last frame is {last_db:.1f} dB from the last picture")
    told = [
        f"{need:g} {unit}" for (_, _, need), unit in zip(needs, ("px", "changed", "px camera"), strict=True) if need
    ]
    return Row(
        case=case,
        needed=", ".join(told),
        flow=tuple(q.flow for q in quarters),
        elsewhere=tuple(q.elsewhere for q in quarters),
        changed=tuple(q.changed for q in quarters),
        camera=tuple(q.camera for q in quarters),
        equal_frames=found.equal_frames,
        first_db=first_db,
        last_db=last_db,
        share=min((got / need for _, got, need in needs if need), default=1.0),
        faults=tuple(faults),
        understood=understood,
        made=datetime.now(UTC).isoformat(timespec="minutes"),
        in_place=found.in_place,
    )


def weakest_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (not row.faults, row.share))


def to_json(rows: list[Row]) -> str:
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> list[Row]:
    """Raises msgspec.ValidationError for what is no list of rows."""
    return msgspec.json.decode(text, type=list[Row])


def to_markdown(rows: list[Row], ranks: Mapping[str, Rank]) -> str:
    return "\n".join(_lines(rows, ranks)) + "\n"


def compare(before: list[Row], now: list[Row], ranks: Mapping[str, Rank]) -> str:
    """What two runs measured of the cases that both made, as Markdown: the most gained first, by share of the need."""
    old = {row.case.name: row for row in before}
    both = sorted(
        ((old[row.case.name], row) for row in now if row.case.name in old),
        key=lambda pair: pair[0].share - pair[1].share,
    )
    lines = ["| case | kind | px per frame before | now | faults before | now | rank |", f"|{' --- |' * 7}"]
    for then, row in both:
        cells = (
            row.case.name,
            row.case.kind,
            numbers(then.flow),
            numbers(row.flow),
            str(len(then.faults)),
            str(len(row.faults)),
            told_rank(ranks.get(row.case.name), both=True),
        )
        lines.append(f"| {' | '.join(cells)} |")
    seen = [sum(not row.faults for row in side) for side in zip(*both, strict=True)] if both else [0, 0]
    lines.append(f"\nOf {len(both)} cases {seen[0]} moved as they need to, now {seen[1]} do.")
    return "\n".join(lines) + "\n"


def told_rank(rank: Rank | None, *, both: bool = False) -> str:
    if rank is None:
        return "–"
    return f"{rank.before} → {rank.now}" if both and rank.before is not None else str(rank.now)


def numbers(values: tuple[float, ...], digits: int = 2) -> str:
    """Those of the quarters, in one cell."""
    return " ".join(f"{value:.{digits}f}" for value in values)


def _lines(rows: list[Row], ranks: Mapping[str, Rank]) -> Iterator[str]:
    yield "| case | kind | region | needed | px per frame | in place | elsewhere | changed | camera | equal | frame 0 \
| rank | what is missing |"
    yield f"|{' --- |' * 13}"
    for row in rows:
        cells = (
            row.case.name,
            row.case.kind,
            " ".join(f"{edge:g}" for edge in row.case.where),
            row.needed,
            numbers(row.flow),
            "–" if row.in_place is None else f"{row.in_place:.2f}",
            numbers(row.elsewhere),
            numbers(row.changed, 3),
            numbers(row.camera),
            str(row.equal_frames),
            f"{row.first_db:.1f} dB",
            told_rank(ranks.get(row.case.name)),
            "; ".join(row.faults) or "nothing",
        )
        yield f"| {' | '.join(cells)} |"
