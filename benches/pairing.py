#!/usr/bin/env python3
"""Which frames of a series are trained on as pairs, and what that gives against clean frames.

    python benches/pairing.py FOLDER PROGRAM [SETTING ...]

makes series in FOLDER (once), trains PROGRAM on each in two ways with each further SETTING (key=value), denoises with what
was trained, and prints a table. Needs numpy and tifffile. Figures: benches/PAIRING.md.

moves    blobs with a texture, each of which goes 1 pixel a frame, in a direction of its own
rests    the same, at rest
drifts   a field of blobs that drifts by 8 pixels in all, with little light in each frame
"""
import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile

SIDE, FRAMES, SERIES = 128, 32, 6
"""Pixels, frames and files of each kind."""

GAIN, OFFSET, READ_NOISE = 40.0, 400.0, 60.0
"""Counts of a photon, of black, and deviation of the counts of an empty pixel."""

SETTINGS = ["model.features=16", "model.depth=3", "data.patch_size=32", "train.max_images=20000", "train.on_dead=ignore"]


def blobs(rng, count=60):
    """Places, directions, radii and brightness."""
    angle = rng.uniform(0, 2 * np.pi, count)
    return {
        "place": rng.uniform(0, SIDE, (count, 2)),
        "step": np.stack([np.sin(angle), np.cos(angle)], 1),
        "radius": rng.uniform(2.5, 6, count),
        "peak": rng.uniform(4, 20, count),
        "wave": rng.uniform(1.2, 2.2, count),
        "turn": rng.uniform(0, np.pi, count),
    }


def draw(cells, moved):
    """A clean frame in photons, where each blob has moved by so many pixels, [count, 2]. Blobs wrap around."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    frame = np.full((SIDE, SIDE), 2.0)
    for at, place in enumerate(cells["place"] + moved):
        y = (rows - place[0] + SIDE / 2) % SIDE - SIDE / 2
        x = (columns - place[1] + SIDE / 2) % SIDE - SIDE / 2
        radius, turn = cells["radius"][at], cells["turn"][at]
        stripes = 1 + 0.5 * np.sin((y * np.cos(turn) + x * np.sin(turn)) * cells["wave"][at])
        frame += cells["peak"][at] * np.exp(-(y * y + x * x) / (2 * radius * radius)) * stripes
    return frame


def counts(clean, light, rng):
    """Clean frames in photons, as a camera sees a share of their light: uint16."""
    photons = rng.poisson(clean * light) * GAIN + OFFSET
    return np.clip(np.rint(photons + rng.normal(0, READ_NOISE, clean.shape)), 0, 65535).astype(np.uint16)


def make(folder):
    """Series of each kind as stacks of ImageJ with an axis of time, and clean frames beside them, in counts."""
    for kind, light in [("moves", 1.0), ("rests", 1.0), ("drifts", 0.15)]:
        for number in range(SERIES):
            rng = np.random.default_rng([number, len(kind)])
            cells = blobs(rng)
            steps = {
                "moves": cells["step"],
                "rests": 0 * cells["step"],
                "drifts": np.full_like(cells["step"], 8 / FRAMES / np.sqrt(2)),
            }[kind]
            clean = np.stack([draw(cells, steps * frame) for frame in range(FRAMES)])
            noisy = counts(clean, light, rng)
            clean = clean * light * GAIN + OFFSET
            save(folder / kind / f"{number}.tif", noisy)
            save(folder / f"{kind}-clean" / f"{number}.tif", clean.astype(np.float32))
            if kind == "drifts":
                half = FRAMES // 2
                for name, frames in [("half1", noisy[:half]), ("half2", noisy[half:])]:
                    save(folder / "drifts-halves" / name / f"{number}.tif", mean(frames)[None])
                save(folder / "drifts-even" / f"{number}.tif", mean(noisy[::2])[None])
                save(folder / "drifts-even-clean" / f"{number}.tif", mean(clean[::2])[None])


def mean(frames):
    return frames.mean(0).astype(np.float32)


def save(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TYX"})


def psnr(folder, clean):
    """Mean over files of the PSNR in dB, the peak that of the clean frames of the file."""
    values = []
    for path in sorted(clean.glob("*.tif")):
        expected = tifffile.imread(path).astype(float)
        found = tifffile.imread(folder / path.name).astype(float)
        error = np.mean((found - expected) ** 2)
        values.append(10 * np.log10(np.ptp(expected) ** 2 / error))
    return np.mean(values)


def main():
    folder, program, settings = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if not (folder / "moves").exists():
        make(folder)
    rows = []
    for data, test, pairing in [
        ("moves", "moves", "any"),
        ("moves", "moves", "neighbours"),
        ("rests", "rests", "any"),
        ("rests", "rests", "neighbours"),
        ("drifts", "drifts-even", "even_odd"),
        ("drifts-halves", "drifts-even", "auto"),
    ]:
        name = f"{data}-{pairing}"
        run, out = folder / "runs" / name, folder / "out" / name
        command = [program, "train", "--data", folder / data, "--run-dir", run, "--backend", "flex"]
        for setting in SETTINGS + [f"data.pairing={pairing}"] + settings:
            command += ["--set", setting]
        if not (run / "last.safetensors").exists():
            subprocess.run(command, check=True)
        subprocess.run(
            [program, "denoise", folder / test, "-o", out, "--model", run, "--overwrite", "--backend", "flex"],
            capture_output=True,
            check=True,
        )
        clean = folder / f"{test}-clean"
        rows.append((data, pairing, psnr(folder / test, clean), psnr(out, clean)))
    print("| trained on | pairs | noisy | denoised |\n| --- | --- | --- | --- |")
    for data, pairing, noisy, denoised in rows:
        print(f"| `{data}` | `{pairing}` | {noisy:.2f} dB | {denoised:.2f} dB |")


if __name__ == "__main__":
    main()
