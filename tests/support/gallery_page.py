"""The gallery as one HTML page without scripts: players beside contact sheets and heat maps, weakest first."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from support.gallery_ranks import Rank
from support.gallery_table import Row, numbers, told_rank

_STYLE: Final = """
body { margin: 2rem auto; max-width: 100rem; padding: 0 1rem; background: #161616; color: #ddd;
  font: 15px/1.5 system-ui, sans-serif }
a { color: #9cf }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .1rem .9rem .1rem 0; text-align: left; vertical-align: top; white-space: nowrap }
td:last-child { white-space: normal }
article { border-top: 1px solid #444; margin-top: 2.5rem }
.clip { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }
.clip .sheet { grid-column: 1 / -1 }
video, img { width: 100%; max-height: 75vh; object-fit: contain; background: #000 }
.sheet img { max-height: none }
.missing { color: #f88 }
.seen { color: #8d8 }
figure { margin: 0 }
figcaption, small { color: #999 }
"""


def to_html(rows: list[Row], ranks: Mapping[str, Rank]) -> str:
    """The page for a folder that holds NAME.mp4, NAME.sheet.jpg and NAME.map.jpg of every row."""
    seen = sum(not row.faults for row in rows)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Vivant: gallery</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>Gallery: {seen} of {len(rows)} clips move as they need to</h1>",
        "<p>Flow is in px per frame at 640 px on the long side, by quarters of the clip, when the camera's homography",
        "is taken out: the 5 % of the region's textured pixels that move most. Weakest first. In the maps red moves at",
        "0.5 px, yellow at 1.5. Look before you believe a figure: would you post it?</p>",
        "<table><tr><th>case<th>kind<th>needed<th>in the region<th>in place<th>elsewhere<th>camera<th>equal<th>rank",
        "<th>what is missing</tr>",
        *(_summary(row, ranks.get(row.case.name)) for row in rows),
        "</table>",
        *(_article(row, ranks.get(row.case.name)) for row in rows),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _summary(row: Row, rank: Rank | None) -> str:
    cells = (
        f'<a href="#{escape(row.case.name)}">{escape(row.case.name)}</a>',
        escape(row.case.kind),
        escape(row.needed),
        numbers(row.flow),
        "–" if row.in_place is None else f"{row.in_place:.2f}",
        numbers(row.elsewhere),
        numbers(row.camera),
        str(row.equal_frames),
        told_rank(rank),
        _verdict(row),
    )
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _article(row: Row, rank: Rank | None) -> str:
    looked = "" if rank is None else f"<br>Would one post it? {rank.now} of 5. {escape(rank.weak)}"
    name = escape(row.case.name)
    measured = [
        ("px per frame in the region", numbers(row.flow)),
        ("elsewhere", numbers(row.elsewhere)),
        ("share that changes", numbers(row.changed, 3)),
        ("camera, px per frame", numbers(row.camera)),
        ("equal frames in a row", str(row.equal_frames)),
        ("frame 0", f"{row.first_db:.1f} dB"),
    ]
    if row.last_db is not None:
        measured.append(("last frame", f"{row.last_db:.1f} dB"))
    return f"""<article id="{name}">
<h2>{name}</h2>
<p>“{escape(row.case.prompt)}” <small>{escape(row.case.picture)}, made {escape(row.made)}</small><br>
Must move: {escape(row.case.must_move)} ({escape(row.needed)}). {_verdict(row)}{looked}</p>
<div class="clip">
<figure><video src="{name}.mp4" controls loop preload="metadata"></video></figure>
<figure><img src="{name}.map.jpg" alt="heat map" loading="lazy"><figcaption>where it moves</figcaption></figure>
<figure class="sheet"><img src="{name}.sheet.jpg" alt="contact sheet" loading="lazy"></figure>
</div>
<p>{"; ".join(f"{what}: {value}" for what, value in measured)}</p>
<details><summary>What was understood</summary>{"<br>".join(escape(line) for line in row.understood)}</details>
</article>"""


def _verdict(row: Row) -> str:
    if row.faults:
        return f'<span class="missing">{escape("; ".join(row.faults))}</span>'
    return '<span class="seen">seen</span>'
