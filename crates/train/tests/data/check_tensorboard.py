"""Holds the event files of a run to its metrics, read by TensorBoard itself.

`python check_tensorboard.py RUN [RUN ...]`, where the runs were trained with --tensorboard. Every number of
`metrics.jsonl` must be there as a 32-bit float at its number of images, every picture byte by byte, and nothing
else. `metrics.csv` must have the same digits. Made with tensorboard 2.21.0.
"""

import csv
import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing import event_accumulator


def single(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


def check(run: Path) -> str:
    text = (run / "metrics.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in text]
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lines), (len(rows), len(lines))
    for row, line in zip(rows, text):
        digits = json.loads(line, parse_float=str, parse_int=str)
        assert {key: cell for key, cell in row.items() if cell} == digits, (row, line)

    restarts = [at for at, line in enumerate(lines) if "restart" in line]
    lines = lines[restarts[-1] + 1 :] if restarts else lines
    events = event_accumulator.EventAccumulator(
        str(run / "tensorboard"), size_guidance={event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0}
    )
    events.Reload()
    expected: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for key in line.keys() - {"images", "batches"}:
            expected.setdefault(key, []).append((line["images"], single(line[key])))
    tags = events.Tags()
    assert sorted(tags["scalars"]) == sorted(expected), (tags, sorted(expected))
    for key, numbers in expected.items():
        assert [(event.step, event.value) for event in events.Scalars(key)] == numbers, key
    pictures = [(line["images"], (run / f"pictures/{line['batches']:08}.png").read_bytes()) for line in lines]
    found = [(event.step, event.encoded_image_string) for event in events.Images("pictures")] if lines else []
    assert found == pictures
    return f"{run}: {len(lines)} validations, {len(expected)} scalars, {len(rows)} rows"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        print(check(Path(path)))
