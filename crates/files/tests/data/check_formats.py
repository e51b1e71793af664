"""Holds what `n2n denoise` writes to files of other programs' writers.

`python check_formats.py PROGRAM FOLDER [PART OF A NAME]` writes variants of TIFF, MRC, FITS and OpenEXR into
FOLDER/in, denoises them with a network that gives back its input, and reads FOLDER/out with the readers of the
same programs. It prints a line for each file and fails if one differs: in integers of up to 16 bits and half floats
to the bit, in wider numbers by more than 2^-22 of their range, or in what stands beside the pixels.
Made with Python 3.11, numpy, tifffile, imagecodecs, mrcfile, astropy and OpenEXR 3.5.
"""

import gzip
import json
import shutil
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import OpenEXR
import tifffile
from astropy.io import fits

warnings.simplefilter("ignore")

# What the way through float32 may cost numbers of more than 16 bits.
WIDE = 2.0**-22
H, W = 40, 56
variants = {}


def scene(*axes, dtype=np.uint16, seed=0):
    """Waves of all axes, and noise: `[*axes, H, W]`."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:H, 0:W]
    planes = []
    for at in range(int(np.prod(axes, dtype=int))):
        wave = 0.5 + 0.3 * np.sin(x / (5 + at) + at) * np.cos(y / 7)
        planes.append(wave + random.normal(0, 0.03, (H, W)))
    found = np.clip(np.array(planes).reshape(*axes, H, W), 0, 1)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return found.astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if dtype.itemsize > 2:
        low, high = (-90_000 if dtype.kind == "i" else 0), 900_000
    return np.round(low + found * (high - low)).astype(dtype)


def variant(name):
    def add(write):
        variants[name] = write
        return write

    return add


# ---------------------------------------------------------------- writers


def tiff(name, data, **options):
    variants[name] = lambda path: tifffile.imwrite(path, data, **options)


for kind in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]:
    tiff(f"kind-{kind}.tif", scene(dtype=kind), photometric="minisblack")
for compression in ["deflate", "lzw", "packbits", "zstd"]:
    predicted = {} if compression == "packbits" else {"predictor": True}
    tiff(f"{compression}.tif", scene(), compression=compression, **predicted)
tiff("float-predictor.tif", scene(dtype="f4"), compression="deflate", predictor=True)
tiff("planar.tif", scene(3, dtype="u1"), photometric="rgb", planarconfig="separate", metadata=None)
tiff("rgb.tif", np.moveaxis(scene(3), 0, -1), photometric="rgb")
tiff("alpha.tif", np.moveaxis(scene(4, dtype="u1"), 0, -1), photometric="rgb", extrasamples=["unassalpha"])
tiff("tiles.tif", scene(dtype="u2"), tile=(16, 32), compression="deflate")
tiff("big-endian.tif", scene(), byteorder=">")
tiff("big.tif", scene(5), bigtiff=True, photometric="minisblack")
tiff("big-big-endian.tif", scene(dtype="f4"), bigtiff=True, byteorder=">")
tiff("described.tif", scene(), description="a cell", resolution=(1000, 2000), resolutionunit="CENTIMETER", metadata=None)
tiff("bits12.tif", scene() >> 4, bitspersample=12, photometric="minisblack", metadata=None)
tiff("white-is-zero.tif", scene(dtype="u1"), photometric="miniswhite", metadata=None)
tiff("imagej-tzcyx.tif", scene(2, 3, 2), imagej=True, resolution=(6.25, 6.25), metadata={"axes": "TZCYX", "unit": "um", "spacing": 0.5, "finterval": 2.0})
tiff("imagej-zyx.tif", scene(4, dtype="f4"), imagej=True, metadata={"axes": "ZYX", "spacing": 0.3, "unit": "um"})
tiff("ome-tzyx.ome.tif", scene(2, 3), metadata={"axes": "TZYX", "PhysicalSizeX": 0.1, "PhysicalSizeXUnit": "µm"})
tiff("ome-cyx.ome.tif", scene(3), photometric="minisblack", metadata={"axes": "CYX", "Channel": {"Name": ["a", "b", "c"]}})


def mrc(name, data, change=None):
    @variant(name)
    def write(path):
        with mrcfile.new(path, compression="gzip" if path.suffix == ".gz" else None) as file:
            file.set_data(data)
            if change:
                change(file)


def stack(file):
    file.set_image_stack()


def pixels(file):
    file.voxel_size = 1.35
    file.header.origin.x, file.header.origin.y = 12.5, -3.25
    file.header.nxstart = 7
    file.add_label("measured by hand")


def extended(file):
    file.header.exttyp = b"FEI1"
    file.set_extended_header(np.frombuffer(bytes(range(128)) * 6, dtype=np.uint8))


mrc("mode0.mrc", scene(dtype="i1"))
mrc("mode1.mrc", scene(dtype="i2"))
mrc("mode2.mrc", scene(dtype="f4"))
mrc("mode6.mrc", scene(dtype="u2"))
mrc("mode12.mrc", scene(dtype="f2"))
mrc("volume.mrc", scene(6, dtype="f4"), pixels)
mrc("stack.mrcs", scene(6, dtype="i2"), stack)
mrc("extended.mrc", scene(3, dtype="i2"), extended)
mrc("packed.mrc.gz", scene(4, dtype="i2"), pixels)
mrc("packed.map.gz", scene(5, dtype="f4"))


def fit(name, data, cards=(), scaled=None, **options):
    @variant(name)
    def write(path):
        hdu = fits.PrimaryHDU(data)
        for card in cards:
            hdu.header.append(card, end=True)
        if scaled:
            hdu.scale("int16", bscale=scaled[0], bzero=scaled[1])
        hdu.writeto(path, **options)


WCS = [
    ("CTYPE1", "RA---TAN"),
    ("CTYPE2", "DEC--TAN"),
    ("CRVAL1", 83.6331),
    ("CRVAL2", 22.0145, "in degrees"),
    ("CRPIX1", 28.5),
    ("CRPIX2", 20.5),
    ("CD1_1", -2.2e-4),
    ("CD1_2", 0.0),
    ("CD2_1", 0.0),
    ("CD2_2", 2.2e-4),
    ("OBJECT", "M 1", "a crab"),
    ("HISTORY", "flat-fielded"),
]
for kind in ["u1", "i2", "i4", "i8", "f4", "f8", "u2", "u4"]:
    fit(f"bitpix-{kind}.fits", scene(dtype=kind))
fit("wcs.fits", scene(dtype="f4"), WCS)
fit("cube.fits", scene(4, dtype="i2"), WCS)
fit("cube4.fits", scene(2, 3, dtype="f4"))
fit("scaled.fits", scene(dtype="f4") * 100, scaled=(0.01, 50.0))
fit("checksum.fits", scene(dtype="i2"), checksum=True)
fit("packed.fits.gz", scene(dtype="i2"), WCS)
fit("packed.fit.gz", scene(3, dtype="f4"))


@variant("blank.fits")
def blank(path):
    data = scene(dtype="i2")
    data[3:6, 7:9] = -32768
    hdu = fits.PrimaryHDU(data)
    hdu.header["BLANK"] = -32768
    hdu.writeto(path)


@variant("extension.fits")
def extension(path):
    first = fits.PrimaryHDU()
    first.header["TELESCOP"] = "a large one"
    fits.HDUList([first, fits.ImageHDU(scene(2, dtype="f4"), name="SCI")]).writeto(path)


def exr(name, channels, compression="ZIP", **header):
    @variant(name)
    def write(path):
        kind = {"compression": getattr(OpenEXR, f"{compression}_COMPRESSION"), "type": OpenEXR.scanlineimage}
        OpenEXR.File(kind | header, channels).write(str(path))


def rgb(dtype="f2", prefix="", seed=0):
    return {prefix + name: plane for name, plane in zip("RGB", scene(3, dtype=dtype, seed=seed))}


DEPTH = {"depth.Z": scene(dtype="f4") * 100}
for method in ["NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "DWAA", "DWAB", "ZSTD"]:
    if hasattr(OpenEXR, f"{method}_COMPRESSION"):
        exr(f"{method.lower()}.exr", rgb(), method)
exr("float.exr", rgb("f4"))
exr("alpha.exr", rgb() | {"A": scene(dtype="f2", seed=3)})
exr("grey.exr", {"Y": scene(dtype="f2")})
exr("passes.exr", rgb() | DEPTH | rgb("f4", "albedo.", 5) | {"id": scene(dtype="u4")}, "PIZ")
exr("blender.exr", rgb("f4", "ViewLayer.Combined.") | {"ViewLayer.Depth.Z": scene(dtype="f4")})
exr("zstd-passes.exr", rgb() | DEPTH | {"id": scene(dtype="u4")}, "ZSTD")
WINDOW = np.array([10, 20], dtype="i4"), np.array([10 + W - 1, 20 + H - 1], dtype="i4")
SHOWN = np.array([0, 0], dtype="i4"), np.array([99, 99], dtype="i4")
exr("window.exr", rgb() | DEPTH, dataWindow=WINDOW, displayWindow=SHOWN, owner="somebody")


@variant("parts.exr")
def parts(path):
    kind = lambda name: {"name": name, "type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}  # noqa: E731
    OpenEXR.File(
        [
            OpenEXR.Part(kind("normal"), {"N.X": scene(dtype="f2"), "N.Y": scene(dtype="f2"), "N.Z": scene(dtype="f2")}),
            OpenEXR.Part(kind("beauty"), rgb("f4", seed=7)),
            OpenEXR.Part(kind("depth"), {"Z": scene(dtype="f4")}),
        ]
    ).write(str(path))


# ---------------------------------------------------------------- readers: numbers, and what stands beside them


def read_tiff(path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        arrays = [series.asarray() for series in file.series]
        # Samples of a pixel stand together afterwards, and black is 0.
        if file.series[0].axes == "SYX":
            arrays = [np.moveaxis(array, 0, -1) for array in arrays]
        if page.photometric.name == "MINISWHITE":
            arrays = [np.iinfo(array.dtype).max - array for array in arrays]
        beside = {
            "axes": [series.axes.replace("SYX", "YXS") for series in file.series],
            "description": page.tags.get("ImageDescription") and page.tags["ImageDescription"].value,
            "imagej": {key: value for key, value in (file.imagej_metadata or {}).items() if key != "Info"},
            "photometric": page.photometric.name.replace("MINISWHITE", "MINISBLACK"),
        }
        if page.tags.get("XResolution"):
            ratio = lambda tag: page.tags[tag].value[0] / page.tags[tag].value[1]  # noqa: E731
            beside["resolution"] = [round(ratio("XResolution"), 3), round(ratio("YResolution"), 3)]
        # ImageJ's page count and the like are no part of what a person wrote.
        if file.is_shaped:
            beside["description"] = None
        return arrays, beside


def read_mrc(path):
    with mrcfile.open(path, permissive=True) as file:
        names = "mode nx ny nz nxstart nystart nzstart mx my mz cella cellb mapc mapr maps ispg exttyp origin".split()
        beside = {name: str(file.header[name]) for name in names}
        labels = [bytes(label) for label in file.header.label if label.strip()]
        beside |= {"labels": labels, "extended": bytes(file.extended_header.tobytes())}
        return [file.data.copy()], beside


def read_fits(path):
    # They speak of the old numbers, or of how the new ones are stored.
    passing = {"BITPIX", "BSCALE", "BZERO", "BLANK", "CHECKSUM", "DATASUM"}
    with fits.open(path) as file:
        beside = [[str(card) for card in hdu.header.cards if card.keyword not in passing] for hdu in file]
        return [np.array(hdu.data) for hdu in file if hdu.data is not None], {"cards": beside}


def read_exr(path):
    file = OpenEXR.File(str(path), separate_channels=True)
    arrays, beside = {}, {}
    # How pixels are packed may change.
    passing = {"compression", "channels", "chunkCount", "version"}
    for at, part in enumerate(file.parts):
        for name, channel in part.channels.items():
            arrays[f"{at} {name}"] = channel.pixels
        header = {key: str(value) for key, value in part.header.items() if key not in passing}
        beside[at] = header | {"names": list(part.channels)}
    return [arrays[key] for key in sorted(arrays)], beside


def reader(name):
    for endings, read in [((".tif",), read_tiff), ((".mrc", ".mrcs", ".map"), read_mrc), ((".fits", ".fit"), read_fits), ((".exr",), read_exr)]:
        if name.removesuffix(".gz").endswith(endings):
            return read
    raise ValueError(name)


# ---------------------------------------------------------------- the check


def identity(path):
    """The bundled network with all its parameters at 0: it adds nothing to its input."""
    bundled = (Path(__file__).parents[4] / "models/bundled.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", bundled[:8])
    json.loads(bundled[8 : 8 + length])
    path.write_bytes(bundled[: 8 + length] + bytes(len(bundled) - 8 - length))


def difference(before, after):
    """In words; nothing where they are the same."""
    if before.shape != after.shape:
        return f"shape {before.shape} became {after.shape}"
    if before.dtype.newbyteorder("=") != after.dtype.newbyteorder("="):
        return f"{before.dtype} became {after.dtype}"
    a, b = before.astype("f8"), after.astype("f8")
    finite = np.isfinite(a)
    if (finite != np.isfinite(b)).any():
        return "other numbers are NaN or infinite"
    most = np.abs(a - b)[finite].max(initial=0)
    allowed = 0 if before.dtype.itemsize <= 2 else WIDE * np.ptp(a[finite])
    return f"numbers differ by {most:g}, {allowed:g} allowed" if most > allowed else ""


def check(before, after):
    read = reader(before.name)
    arrays, beside = read(before)
    found, stays = read(after)
    if len(arrays) != len(found):
        return f"{len(arrays)} arrays became {len(found)}"
    for old, new in zip(arrays, found):
        if words := difference(old, new):
            return words
    if str(before).endswith(".gz"):
        gzip.decompress(after.read_bytes())
    for key in beside:
        if beside[key] != stays.get(key):
            return f"{key}: {beside[key]!r} became {stays.get(key)!r}"[:400]
    return ""


def main():
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    old, new = folder / "in", folder / "out"
    for path in (old, new):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    names = [name for name in variants if wanted in name]
    for name in names:
        variants[name](old / name)
    identity(folder / "identity.safetensors")
    command = [program, "denoise", old, "-o", new, "--model", folder / "identity.safetensors", "--backend", "flex"]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    failed = 0
    for name in names:
        if (new / name).exists():
            words = check(old / name, new / name)
        else:
            lines = [line for line in said.splitlines() if line.startswith("error") and f"/{name} " in f"{line} "]
            words = "; ".join(lines) or "no result"
        failed += bool(words)
        print(f"{name:24} {words or 'as it was'}")
    print(f"{len(names) - failed} of {len(names)} as they were")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
