"""Walkers that are made up: boxes that move evenly, and what a detector might see of them."""

import numpy as np
import polars as pl

QUICK = {"hidden": 8, "steps": 60, "batch": 32, "age": 1.0}
RATE = 10.0


def walkers(count=6, frames=60, seed=0, video="street", jitter=1.5):
    """A table of boxes with ids: each walks across the picture at a speed of its own."""
    rng = np.random.default_rng(seed)
    start = np.stack([rng.uniform(0, 500, count), 100 + 70.0 * np.arange(count)], 1)
    speed = np.stack([rng.uniform(-6, 6, count), rng.uniform(-0.5, 0.5, count)], 1)
    rows = []
    for frame in range(1, frames + 1):
        for number in range(count):
            x, y = start[number] + frame * speed[number] + rng.normal(0, jitter, 2)
            rows.append((video, frame, number + 1, x, y, 30.0, 60.0, RATE))
    names = ["video", "frame", "id", "x", "y", "width", "height", "rate"]
    return pl.DataFrame(rows, schema=names, orient="row")


def seen_of(table, seed=1, missed=0.1, false=0.3):
    """The same without ids, some boxes left out and some false ones put in."""
    rng = np.random.default_rng(seed)
    kept = table.filter(pl.Series(rng.random(len(table)) >= missed)).drop("id")
    kept = kept.with_columns(pl.Series("score", rng.uniform(0.8, 1, len(kept))))
    frames = np.flatnonzero(rng.random(table["frame"].max()) < false) + 1
    wrong = pl.DataFrame(
        {
            "video": [table["video"][0]] * len(frames),
            "frame": frames,
            "x": rng.uniform(0, 500, len(frames)),
            "y": rng.uniform(600, 700, len(frames)),
            "width": 30.0,
            "height": 60.0,
            "rate": RATE,
            "score": rng.uniform(0.5, 0.7, len(frames)),
        }
    )
    return pl.concat([kept, wrong.select(kept.columns)]).sort("frame")


def write_folder(folder, table, detected=None):
    """A sequence in the form of MOTChallenge."""
    (folder / "gt").mkdir(parents=True)
    lines = [
        f"{r['frame']},{r['id']},{r['x']:.2f},{r['y']:.2f},{r['width']},{r['height']},1,-1,-1,-1"
        for r in table.rows(named=True)
    ]
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    about = f"[Sequence]\nname={folder.name}\nframeRate={RATE:g}\nseqLength={table['frame'].max()}\n"
    (folder / "seqinfo.ini").write_text(about)
    if detected is not None:
        write_detections(folder / "det" / "det.txt", detected)


def write_detections(path, detected):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{r['frame']},-1,{r['x']:.2f},{r['y']:.2f},{r['width']},{r['height']},{r['score']:.3f}"
        for r in detected.rows(named=True)
    ]
    path.write_text("\n".join(lines) + "\n")
