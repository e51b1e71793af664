"""OME-Zarr by zarr-python, to try n2n on; with numpy==2.4.6 and zarr==3.1.6.

    python zarr_folders.py variants FOLDER    small images in both versions and by many codecs
    python zarr_folders.py large FOLDER 10    frames of a field of beads, with noise: ten of 303 MP are 6 GB; and
                                              the first of them alone. A third number is another side
    python zarr_folders.py seeds FOLDER SEEDS  the small images as inputs of the fuzz target `zarr`, one file for each
    python zarr_folders.py compare A B        whether two folders of such hold the same numbers and metadata
    python zarr_folders.py watch COMMAND ...  runs a command; the largest memory it had, sampled, and its time
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import zarr
from numcodecs import LZ4, Blosc, GZip, Zlib, Zstd
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

# Points in time, channels, planes, rows, columns.
SHAPE = (2, 3, 2, 70, 90)
CHUNKS = (1, 1, 1, 32, 48)
SHARDS = (1, 3, 2, 64, 96)
AXES = ("t", "c", "z", "y", "x")
UNITS = {"t": ("time", "second"), "z": ("space", "micrometer"), "y": ("space", "micrometer"), "x": ("space", "micrometer")}
SCALE = [1.5, 1.0, 2.0, 0.1625, 0.1625]

V2 = {
    "none": None,
    "zlib": Zlib(1),
    "gzip": GZip(5),
    "zstd": Zstd(3),
    "lz4": LZ4(),
    "blosc-lz4": Blosc("lz4", 5, Blosc.SHUFFLE),
    "blosc-lz4-bits": Blosc("lz4", 5, Blosc.BITSHUFFLE),
    "blosc-lz4hc": Blosc("lz4hc", 9, Blosc.NOSHUFFLE),
    "blosc-zstd": Blosc("zstd", 3, Blosc.SHUFFLE),
    "blosc-zstd-bits": Blosc("zstd", 5, Blosc.BITSHUFFLE),
    "blosc-zlib": Blosc("zlib", 5, Blosc.AUTOSHUFFLE),
}
V3 = {
    "none": None,
    "gzip": GzipCodec(level=5),
    "zstd": ZstdCodec(level=3),
    "blosc-lz4": BloscCodec(cname="lz4", shuffle="shuffle"),
    "blosc-zstd-bits": BloscCodec(cname="zstd", shuffle="bitshuffle"),
}
KINDS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


def axis(name):
    kind, unit = UNITS.get(name, ("channel", None))
    return {"name": name, "type": kind} | ({"unit": unit} if unit else {})


def group(path, version, axes, scale):
    """A group with the metadata of an image in one size."""
    dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    image = {"name": Path(path).stem, "axes": [axis(name) for name in axes], "datasets": [dataset]}
    omero = {"channels": [{"label": "DAPI", "color": "0000FF", "window": {"start": 0, "end": 1500, "min": 0, "max": 65535}}]}
    made = zarr.open_group(path, mode="w", zarr_format=version)
    if version == 2:
        made.attrs.update({"multiscales": [{"version": "0.4"} | image], "omero": omero})
    else:
        made.attrs["ome"] = {"version": "0.5", "multiscales": [image], "omero": omero}
    return made


def numbers(kind):
    rng = np.random.default_rng(7)
    if kind[0] == "f":
        return rng.normal(0.5, 0.2, SHAPE).astype(kind)
    bounds = np.iinfo(kind)
    return rng.integers(bounds.min // 2, bounds.max // 2, SHAPE, endpoint=True).astype(kind)


def variant(folder, name, version, kind="u2", **settings):
    made = group(folder / f"{name}.ome.zarr", version, AXES, SCALE)
    if version == 2:
        settings = {"chunk_key_encoding": {"name": "v2", "separator": "/"}} | settings
    array = made.create_array("0", shape=SHAPE, chunks=CHUNKS, dtype=kind, **settings)
    values = numbers(kind)
    # One chunk is not written.
    values[0, 0, 0, :32, :48] = 0
    array[:] = values


def variants(folder):
    folder = Path(folder)
    for name, codec in V2.items():
        variant(folder, f"v2-{name}", 2, compressors=codec)
    for name, codec in V3.items():
        variant(folder, f"v3-{name}", 3, compressors=codec)
        variant(folder, f"v3-shards-{name}", 3, compressors=codec, shards=SHARDS)
    for kind in KINDS:
        variant(folder, f"v2-{kind}", 2, kind)
        variant(folder, f"v3-{kind}", 3, kind)
    variant(folder, "v2-big-endian", 2, ">u2")
    variant(folder, "v2-fortran", 2, order="F")
    variant(folder, "v2-dots", 2, chunk_key_encoding={"name": "v2", "separator": "."})


def seeds(folder, output):
    """Of each image the metadata and the first chunks, each with its name in a line before it."""
    Path(output).mkdir(parents=True, exist_ok=True)
    for path in Path(folder).glob("*.zarr"):
        files = sorted(file for file in path.rglob("*") if file.is_file())
        metadata = [file for file in files if file.name.startswith(".z") or file.name == "zarr.json"]
        chunks = [file for file in files if file not in metadata][:4]
        parts = [f"{file.relative_to(path)}\n".encode() + file.read_bytes() for file in metadata + chunks]
        (Path(output) / path.stem).write_bytes(b"\n%%".join(parts))


def large(folder, frames, side=17408):
    """Frames of 16 bits, made and written in rows of chunks."""
    chunk, frames, side = 1024, int(frames), int(side)

    def create(name, frames):
        made = group(Path(folder) / name, 3, ("t", "y", "x"), [1.0, 0.1625, 0.1625])
        settings = {"chunks": (1, chunk, chunk), "dtype": "u2", "compressors": ZstdCodec(level=1)}
        return made.create_array("0", shape=(frames, side, side), **settings)

    array, first = create("large.ome.zarr", frames), create("frame.ome.zarr", 1)
    rng = np.random.default_rng(1)
    x = np.arange(side, dtype="f4")
    for top in range(0, side, chunk):
        y = np.arange(top, top + chunk, dtype="f4")[:, None]
        clean = 800 + 500 * (np.cos(x / 9) * np.cos(y / 11)) ** 8 + 100 * np.sin(x / 700 + y / 900)
        for frame in range(frames):
            noisy = clean + rng.standard_normal(clean.shape, dtype="f4") * np.sqrt(clean)
            array[frame, top : top + chunk] = noisy.clip(0, 65535).astype("u2")
        first[0, top : top + chunk] = array[0, top : top + chunk]
    print(f"{array.shape}: {array.nbytes / 1e9:.2f} GB, {side * side / 1e6:.0f} MP each")


def compare(first, second):
    """Folders of folders of Zarr, or two of these."""
    first, second = Path(first), Path(second)
    names = sorted(path.name for path in first.glob("*.zarr")) or [""]
    wrong = 0
    for name in names:
        try:
            a, b = (zarr.open_group(folder / name, mode="r") for folder in (first, second))
            settings = [{**json.loads(json.dumps(image["0"].metadata.to_dict(), default=str))} for image in (a, b)]
            assert dict(a.attrs) == dict(b.attrs), f"metadata: {dict(a.attrs)} {dict(b.attrs)}"
            assert settings[0] == settings[1], f"array: {settings}"
            a, b = a["0"][:], b["0"][:]
            if a.dtype.itemsize <= 2 and a.dtype.kind in "iu":
                assert np.array_equal(a, b), f"{(a != b).sum()} numbers differ"
            else:
                a, b = a.astype("f8"), b.astype("f8")
                apart = np.abs(a - b).max() / max(np.abs(a).max(), 1e-30)
                assert apart < 1e-3, f"up to {apart:.2e} of the largest number"
        except Exception as error:  # Whatever it is, the others are looked at.
            wrong += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}")
    print(f"{len(names) - wrong} of {len(names)} are the same")
    return wrong > 0


def watch(command):
    start, most = time.time(), 0
    process = subprocess.Popen(command)
    while process.poll() is None:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            resident = [int(line.split()[1]) for line in lines if line.startswith("VmRSS")]
            most = max([most, *resident])
        except OSError:
            pass
        time.sleep(0.1)
    print(f"{most / 2**20:.2f} GiB at most, {time.time() - start:.0f} s: {' '.join(command)}")
    return process.returncode


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    if action == "watch":
        sys.exit(watch(arguments))
    sys.exit({"variants": variants, "seeds": seeds, "large": large, "compare": compare}[action](*arguments))
