"""The gallery: clips of the test photos beside what is measured of their motion, to look at and to rank.

    python -m support.gallery --out build/gallery            every case of gallery_cases.toml
    python -m support.gallery --only 'surf_*' cat_blinks     some of them; the others stay as they were made before
    python -m support.gallery --table --compare old/table.json   renders nothing; what was measured then, and now

Each case is rendered by the embedded engine and encoded as for a caller. The folder gets, for each, the clip, a contact
sheet and a heat map, and index.html with all of them, table.md and table.json. Figures find what stands still; whether
it is beautiful, and moves in the right place, only looking tells: docs/gallery/ranks.toml says what was seen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import msgspec
from PIL import Image

from support import film
from support.contact_sheet import contact_sheet
from support.gallery_cases import Case, load_cases
from support.gallery_page import to_html
from support.gallery_ranks import load_ranks
from support.gallery_table import Row, compare, from_json, judge, numbers, to_json, to_markdown, weakest_first
from support.liveliness import Liveliness, draw_heat, measure, read, shown
from vivant.engines.base import NullWatch
from vivant.engines.diorama.engine import Diorama
from vivant.engines.diorama.storyboard import Storyboard
from vivant.generate import make_clip
from vivant.media import U8, Pictures, fit, to_planes
from vivant.request import Canvas


def make(case: Case, engine: Diorama, folder: Path, *, silent: bool = False) -> Row:
    """Render one case; write NAME.mp4, NAME.sheet.jpg and NAME.map.jpg. silent: without sound, but where one speaks."""
    clip = folder / f"{case.name}.mp4"
    _, found, row = film_and_judge(case, engine, clip, silent=silent and case.kind != "face")
    contact_sheet(clip).save(folder / f"{case.name}.sheet.jpg", quality=88)
    Image.fromarray(draw_heat(next(shown(clip)), found.heat)).save(folder / f"{case.name}.map.jpg", quality=88)
    return row


def film_and_judge(case: Case, engine: Diorama, clip: Path, *, silent: bool) -> tuple[Storyboard, Liveliness, Row]:
    """What was planned, and what is measured of the file that was made."""
    pictures = case.pictures()
    height, width = pictures.first.shape[:2]
    brief = replace(case.brief, generate_audio=not silent)
    request = brief.resolve(width, height, has_last_frame=pictures.last is not None)
    board = engine.plan(request, pictures, NullWatch())
    make_clip(engine, board, pictures, request, clip, NullWatch())
    found = measure(read(clip), fixed=stands_still(board), where=case.where)
    first_db, last_db = _fidelity(clip, pictures, request.canvas)
    return board, found, judge(case, found, first_db, last_db, tuple(engine.explain(board)))


def stands_still(board: Storyboard) -> bool:
    """Whether the camera never moves, so that nothing that moves may be taken for it. A change from a first picture to
    a last one may hold a camera move of its own."""
    return not board.morph and all(move.kind == "static" for shot in board.shots for move in shot.moves)


def write_tables(rows: list[Row], folder: Path) -> None:
    """table.json, table.md and index.html, weakest first."""
    ordered, ranks = weakest_first(rows), load_ranks()
    texts = {
        "table.json": to_json(ordered),
        "table.md": to_markdown(ordered, ranks),
        "index.html": to_html(ordered, ranks),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def read_rows(folder: Path, cases: list[Case]) -> dict[str, Row]:
    """What an earlier run left in the folder, of the cases that still ask for the same."""
    try:
        rows = from_json((folder / "table.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, msgspec.ValidationError):  # the first run, or a table of an earlier form
        rows = []
    return {row.case.name: row for row in rows if row.case in cases}


def _fidelity(clip: Path, pictures: Pictures, canvas: Canvas) -> tuple[float, float | None]:
    """dB of the luma of the first and the last frame against their pictures."""

    def db(frame: U8, picture: U8) -> float:
        return film.psnr(frame, to_planes(fit(picture, canvas.width, canvas.height)).y)

    frames = list(film.luma(clip))
    return db(frames[0], pictures.first), None if pictures.last is None else db(frames[-1], pictures.last)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/gallery"))
    parser.add_argument("--only", nargs="*", default=[], help="names of cases; * stands for anything")
    parser.add_argument("--silent", action="store_true", help="no sound but speech, which is quicker")
    parser.add_argument("--table", action="store_true", help="render nothing: the table of what was made before")
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help="a table.json of an earlier run")
    options = parser.parse_args()
    cases = load_cases()
    chosen = [case for case in cases if not options.only or any(fnmatch(case.name, name) for name in options.only)]
    if not chosen:
        print(f"No case is called {' or '.join(options.only)}. There are: {', '.join(case.name for case in cases)}.")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    rows = read_rows(options.out, cases)
    engine = Diorama()
    if not options.table:
        engine.setup()
    for case in [] if options.table else chosen:
        row = rows[case.name] = make(case, engine, options.out, silent=options.silent)
        write_tables(list(rows.values()), options.out)  # after each: a run that is stopped leaves what it has made
        print(f"{case.name:28} {numbers(row.flow)} px  {'; '.join(row.faults) or 'seen'}", flush=True)
    write_tables(list(rows.values()), options.out)
    ordered = weakest_first(list(rows.values()))
    print(to_markdown(ordered, load_ranks()))
    if options.compare is not None:
        print(compare(from_json(options.compare.read_text(encoding="utf-8")), ordered, load_ranks()))
    seen = sum(not row.faults for row in rows.values())
    print(f"{options.out / 'index.html'}: {seen} of {len(rows)} are seen to move")
    return 0


if __name__ == "__main__":
    sys.exit(main())
