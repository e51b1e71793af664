"""Makes the small image and array files that the tests read, and what they hold: `expected.json`, and
`attached.json` for what stands beside the pixels.

Made with Python 3.11, the packages of requirements.txt and ImageMagick 6.9.11 (its `convert`), run as
`python generate.py` in this folder. No image is square and all axes differ, so that a mix-up shows.
"""

import json
import os
import struct
import subprocess
import zlib

import cv2
import imagecodecs
import numpy as np
import OpenEXR
import tifffile
from PIL import Image, ImageCms

H, W = 7, 5
# Those that came last, by the names of their files.
NEW_KINDS = {
    "i8": np.int8,
    "i16": np.int16,
    "32": np.uint32,
    "i32": np.int32,
    "64": np.uint64,
    "i64": np.int64,
}

# What lossy formats may differ by, of 255: decoders round their transforms in different ways.
LOSSY = 2

pictures, stacks, arrays = [], [], []


def values(channels, dtype, height=H, width=W, seed=0):
    """`[channels, height, width]` of a formula; the channels are unequal."""
    i = np.arange(channels * height * width).reshape(channels, height, width)
    if np.issubdtype(dtype, np.floating):
        return (((37 * i + 11 * seed) % 251 - 100) / 64).astype(dtype)  # exact in 16 bits too
    most = min(np.iinfo(dtype).max, 2**53)  # what JSON's numbers hold
    factor = {1: 37, 2: 9973, 4: 99_999_989, 8: 7_999_999_999_981}[np.dtype(dtype).itemsize]
    found = (i * factor + 11 * seed) % most
    return np.where(np.issubdtype(dtype, np.signedinteger) & (i % 2 == 1), -found, found).astype(dtype)


def smooth(channels, height=11, width=21):
    """An image that lossy formats keep well."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 90 * np.sin(x / (7 + 2 * c)) * np.cos(y / (5 + c)) for c in range(channels)]
    return np.round(planes).astype(np.uint8)


def pixels(planes):
    """`[height, width]` or `[height, width, channels]`, as most programs take it."""
    return planes[0] if planes.shape[0] == 1 else np.ascontiguousarray(np.moveaxis(planes, 0, -1))


def numbers(planes):
    """The place in `arrays` of these numbers, in C order; many files hold the same ones."""
    array = [n.item() for n in planes.reshape(-1)]
    if array not in arrays:
        arrays.append(array)
    return arrays.index(array)


def kind_of(planes):
    """The kind that they are read as."""
    return str(planes.dtype)


def picture(file, planes, alpha=False, pages=1, lossy=0):
    """Notes that `file` holds `planes`, the last of which is alpha if there is any."""
    kind = kind_of(planes)
    colours = planes[:-1] if alpha else planes
    pictures.append(
        {
            "file": file,
            "shape": list(colours.shape),
            "kind": kind,
            "pages": pages,
            "lossy": lossy,
            "samples": numbers(colours),
            "alpha": numbers(planes[-1]) if alpha else None,
        }
    )


def stack(file, images, entry=None):
    """Notes that `file` holds `images`, `[images, channels, height, width]`."""
    kind = kind_of(images)
    stacks.append(
        {
            "file": file,
            "entry": entry,
            "images": images.shape[0],
            "shape": list(images.shape[1:]),
            "kind": kind,
            "samples": numbers(images),
        }
    )


def convert(planes, arguments, file):
    """Has ImageMagick write `file`."""
    depth = 8 * planes.dtype.itemsize
    form = {1: "gray", 3: "rgb", 4: "rgba"}[planes.shape[0]]
    size = f"{planes.shape[2]}x{planes.shape[1]}"
    command = ["/usr/bin/convert", "-size", size, "-depth", str(depth), "-endian", "LSB", f"{form}:-"]
    command += [*arguments, "-define", "png:exclude-chunks=date,tIME", file]
    subprocess.run(command, input=pixels(planes).tobytes(), check=True)


def read_back(file, mode):
    return np.moveaxis(np.atleast_3d(np.asarray(Image.open(file).convert(mode))), -1, 0)


def png():
    for dtype in (np.uint8, np.uint16):
        bits = 8 * np.dtype(dtype).itemsize
        for name, planes in [("grey", 1), ("grey-alpha", 2), ("rgb", 3), ("rgb-alpha", 4)]:
            file, data = f"png/{name}{bits}.png", values(planes, dtype)
            with open(file, "wb") as out:
                out.write(imagecodecs.png_encode(pixels(data)))
            picture(file, data, alpha=planes in (2, 4))
            if planes in (1, 3):
                convert(data, ["-interlace", "PNG"], f"png/{name}{bits}-interlaced.png")
                picture(f"png/{name}{bits}-interlaced.png", data)

    bits = values(1, np.uint8) % 2 * 255
    Image.fromarray(bits[0]).convert("1").save("png/grey1.png")
    picture("png/grey1.png", bits)
    for depth in (2, 4):
        most = 2**depth - 1
        data = values(1, np.uint8) % (most + 1) * (255 // most)
        file = f"png/grey{depth}.png"
        convert(data, ["-define", f"png:bit-depth={depth}", "-define", "png:color-type=0"], file)
        with open(file, "rb") as written:
            assert written.read()[24:26] == bytes([depth, 0])
        picture(file, data)

    palette = values(3, np.uint8, 1, 4)[:, 0, :]
    index = values(1, np.uint8) % 4
    image = Image.fromarray(index[0]).convert("P")
    image.putpalette(palette.T.reshape(-1).tolist())
    image.save("png/palette2.png", bits=2)
    picture("png/palette2.png", palette[:, index[0]])
    image.save("png/palette2-alpha.png", bits=2, transparency=bytes([255, 0, 128, 7]))
    alpha = np.array([255, 0, 128, 7], np.uint8)[index]
    picture("png/palette2-alpha.png", np.concatenate([palette[:, index[0]], alpha]), alpha=True)


def jpeg():
    for name, channels, options in [
        ("grey", 1, {}),
        ("grey-progressive", 1, {"progressive": True}),
        ("rgb", 3, {"subsampling": 0}),
        ("rgb-420", 3, {"subsampling": 2}),
        ("rgb-progressive", 3, {"subsampling": 0, "progressive": True}),
        ("rgb-restarts", 3, {"subsampling": 0, "restart_marker_blocks": 2}),
    ]:
        file = f"jpeg/{name}.jpg"
        Image.fromarray(pixels(smooth(channels))).save(file, quality=90, **options)
        picture(file, read_back(file, "L" if channels == 1 else "RGB"), lossy=LOSSY)
    cmyk = np.concatenate([smooth(3), smooth(1) // 4])
    Image.fromarray(pixels(cmyk), "CMYK").save("jpeg/cmyk.jpg", quality=90)
    picture("jpeg/cmyk.jpg", read_back("jpeg/cmyk.jpg", "RGB"), lossy=LOSSY)


def webp():
    for name, channels in [("rgb", 3), ("rgb-alpha", 4)]:
        mode = "RGB" if channels == 3 else "RGBA"
        file, data = f"webp/{name}-lossless.webp", values(channels, np.uint8)
        Image.fromarray(pixels(data)).save(file, lossless=True, exact=True)
        picture(file, data, alpha=channels == 4)
        file, data = f"webp/{name}-lossy.webp", smooth(channels)
        Image.fromarray(pixels(data)).save(file, quality=90)
        picture(file, read_back(file, mode), alpha=channels == 4, lossy=LOSSY)


def bmp():
    rgb = values(3, np.uint8)
    Image.fromarray(pixels(rgb)).save("bmp/rgb.bmp")
    picture("bmp/rgb.bmp", rgb)
    # A palette of greys: the format has no grey of its own.
    grey = values(1, np.uint8)
    Image.fromarray(grey[0]).save("bmp/grey.bmp")
    picture("bmp/grey.bmp", np.repeat(grey, 3, 0))
    runs = np.sort(grey.reshape(-1) % 4 * 85).reshape(1, H, W)
    convert(runs, ["-type", "palette", "-compress", "RLE"], "bmp/runs.bmp")
    with open("bmp/runs.bmp", "rb") as written:
        assert written.read()[30] == 1
    picture("bmp/runs.bmp", np.repeat(runs, 3, 0))
    Image.fromarray(grey[0] % 2 * 255).convert("1").save("bmp/bits.bmp")
    picture("bmp/bits.bmp", np.repeat(grey % 2 * 255, 3, 0))


def tiff():
    def write(name, data, expected=None, alpha=False, **options):
        options = {"photometric": "minisblack" if data.ndim == 2 else "rgb", "metadata": None} | options
        tifffile.imwrite(f"tiff/{name}.tif", data, **options)
        if expected is not None:
            picture(f"tiff/{name}.tif", expected, alpha=alpha)

    for name, dtype in [("8", np.uint8), ("16", np.uint16), ("f16", np.float16), ("f32", np.float32), ("f64", np.float64)]:
        for colours, planes in [("grey", 1), ("rgb", 3)]:
            data = values(planes, dtype)
            write(f"{colours}{name}", pixels(data), data)
            write(f"{colours}{name}-big-endian", pixels(data), data, byteorder=">")
        data = values(4, dtype)
        write(f"rgb-alpha{name}", pixels(data), data, alpha=True, extrasamples=["unassalpha"])
        data = values(2, dtype)
        write(f"grey-alpha{name}", pixels(data), data, alpha=True, photometric="minisblack", extrasamples=["unassalpha"])

    for name, dtype in NEW_KINDS.items():
        data = values(1, dtype)
        write(f"grey{name}", pixels(data), data)
        data = values(3, dtype)
        write(f"rgb{name}-big-endian", pixels(data), data, byteorder=">")
        options = {"compression": "deflate", "predictor": 2, "rowsperstrip": 2}
        write(f"rgb{name}-deflate-predicted", pixels(data), data, **options)

    # Bands, of which some programs say that the first three are colours.
    data = values(2, np.uint8)
    write("bands2", pixels(data), data, photometric="minisblack", planarconfig="contig")
    data = values(5, np.uint16)
    bands = {"photometric": "minisblack", "planarconfig": "contig"}
    write("bands5", pixels(data), data, planarconfig="contig", rowsperstrip=4)
    write("bands5-planar", data, data, planarconfig="separate", rowsperstrip=4)
    options = {"compression": "lzw", "predictor": 2, "rowsperstrip": 3}
    write("bands5-lzw-predicted", pixels(data), data, planarconfig="contig", **options)
    write("bands5-grey-lzw-predicted", pixels(data), data, **bands, **options)
    write("bands5-tiled", pixels(data), data, **bands, tile=(16, 16))
    data = values(64, np.float64)
    write("bands64", pixels(data), data, **bands)
    data = values(6, np.int16)
    extra = ["unspecified", "unspecified", "unassalpha"]
    write("bands5-alpha", pixels(data), data, alpha=True, extrasamples=extra, byteorder=">")

    for compression in ("lzw", "deflate", "packbits"):
        for predictor in (None, 2):
            if (compression, predictor) == ("packbits", 2):
                continue
            for name, dtype in [("8", np.uint8), ("16", np.uint16)]:
                data = values(3, dtype)
                ending = "-predicted" if predictor else ""
                write(f"rgb{name}-{compression}{ending}", pixels(data), data, compression=compression, predictor=predictor, rowsperstrip=2)
    data = values(3, np.float32)
    write("rgbf32-deflate-predicted", pixels(data), data, compression="deflate", predictor=3, rowsperstrip=3)

    for name, channels, dtype in [("grey8", 1, np.uint8), ("rgb16", 3, np.uint16), ("greyf32", 1, np.float32)]:
        data = values(channels, dtype, 9, 21)
        write(f"{name}-tiled", pixels(data), data, tile=(16, 16))
        write(f"{name}-tiled-deflate", pixels(data), data, tile=(16, 32), compression="deflate", predictor=True)
        write(f"{name}-strips", pixels(data), data, rowsperstrip=4)
        write(f"{name}-bigtiff", pixels(data), data, bigtiff=True)
        write(f"{name}-bigtiff-big-endian", pixels(data), data, bigtiff=True, byteorder=">")
    for name, dtype in [("rgb8", np.uint8), ("rgb16", np.uint16), ("rgbf32", np.float32)]:
        data = values(3, dtype, 9, 21)
        write(f"{name}-planar", data, data, planarconfig="separate", rowsperstrip=5)
        write(f"{name}-planar-tiled", data, data, planarconfig="separate", tile=(16, 16), compression="lzw")

    # Runs longer than a row of a tile.
    data = np.sort(values(1, np.uint8, 33, 21).reshape(-1)).reshape(1, 33, 21)
    write("grey8-tiled-lzw", pixels(data), data, tile=(16, 16), compression="lzw")

    data = values(1, np.uint8)
    for name, options in [("white-is-zero8", {}), ("white-is-zero8-tiled", {"tile": (16, 16)})]:
        write(name, pixels(data), 255 - data, photometric="miniswhite", **options)
    bits = values(1, np.uint8) % 2
    write("grey1", bits[0].astype(bool), bits * 255)
    write("grey1-tiled", bits[0].astype(bool), bits * 255, tile=(16, 16))
    for depth in (2, 4):
        most = 2**depth - 1
        data = values(1, np.uint8) % (most + 1) * (255 // most)
        convert(data, ["-type", "grayscale", "-depth", str(depth), "-compress", "none"], f"tiff/grey{depth}.tif")
        assert tifffile.TiffFile(f"tiff/grey{depth}.tif").pages[0].bitspersample == depth
        picture(f"tiff/grey{depth}.tif", data)

    # Refused, each for one reason.
    write("complex64", values(1, np.float32)[0].astype(np.complex64))
    write("inverted-alpha", pixels(values(2, np.uint8)), photometric="miniswhite", extrasamples=["unassalpha"])
    write("palette", values(1, np.uint8)[0], photometric="palette", colormap=np.zeros((3, 256), np.uint16))
    write("bands65", pixels(values(65, np.uint8)), **bands)
    write("cmyk", pixels(values(4, np.uint8)), photometric="separated")
    write("jpeg", pixels(smooth(3)), compression="jpeg")

    # Pages.
    for name, channels, dtype, options in [
        ("pages-grey16", 1, np.uint16, {}),
        ("pages-rgb8-lzw", 3, np.uint8, {"compression": "lzw"}),
        ("pages-greyf32-bigtiff", 1, np.float32, {"bigtiff": True}),
        ("pages-grey8-big-endian", 1, np.uint8, {"byteorder": ">"}),
    ]:
        images = np.stack([values(channels, dtype, seed=page) for page in range(4)])
        with tifffile.TiffWriter(f"tiff/{name}.tif", **{k: v for k, v in options.items() if k != "compression"}) as out:
            for image in images:
                out.write(
                    pixels(image),
                    photometric="minisblack" if channels == 1 else "rgb",
                    compression=options.get("compression"),
                    metadata=None,
                )
        picture(f"tiff/{name}.tif", images[0], pages=4)
        stack(f"tiff/{name}.tif", images)
    # What microscopes write: one block of pixels, a directory for each page.
    images = np.stack([values(1, np.uint16, seed=page) for page in range(3)])
    tifffile.imwrite("tiff/pages-imagej.tif", images[:, 0], imagej=True, metadata={"axes": "TYX"})
    stack("tiff/pages-imagej.tif", images)
    with tifffile.TiffWriter("tiff/pages-of-two-shapes.tif") as out:
        for image in (values(1, np.uint8), values(1, np.uint8), values(1, np.uint8, W, H)):
            out.write(image[0], photometric="minisblack", metadata=None)
    with tifffile.TiffWriter("tiff/pages-of-two-kinds.tif") as out:
        for dtype in (np.uint8, np.uint16):
            out.write(values(1, dtype)[0], photometric="minisblack", metadata=None)


def exr():
    for kind, dtype in [("half", np.float16), ("float", np.float32)]:
        for name, channels in [("grey", "Y"), ("rgb", "RGB"), ("rgb-alpha", "RGBA")]:
            data = values(len(channels), dtype)
            for method in ("NO", "RLE", "ZIPS", "ZIP", "PIZ"):
                if method not in ("ZIP", "NO") and name != "rgb":
                    continue
                header = {
                    "compression": getattr(OpenEXR, f"{method}_COMPRESSION"),
                    "type": OpenEXR.scanlineimage,
                }
                file = f"exr/{name}-{kind}-{method.lower()}.exr"
                planes = {channel: np.ascontiguousarray(plane) for channel, plane in zip(channels, data)}
                OpenEXR.File(header, planes).write(file)
                picture(file, data, alpha=name.endswith("alpha"))
    data = values(3, np.float32)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    header["tiles"].xSize, header["tiles"].ySize = 4, 3
    OpenEXR.File(header, {c: np.ascontiguousarray(p) for c, p in zip("RGB", data)}).write("exr/rgb-float-tiled.exr")
    picture("exr/rgb-float-tiled.exr", data)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"Y": values(1, np.uint32)[0]}).write("exr/uint.exr")
    OpenEXR.File(header, {"Z": values(1, np.float32)[0]}).write("exr/depth.exr")


def hdr():
    # Rows of fewer than 8 pixels are stored flat, longer ones in runs.
    for name, width in [("flat", W), ("runs", 11)]:
        data = values(3, np.float32, H, width) ** 2 * 3
        file = f"hdr/{name}.hdr"
        assert cv2.imwrite(file, np.ascontiguousarray(pixels(data)[:, :, ::-1]))
        read = cv2.imread(file, cv2.IMREAD_UNCHANGED)[:, :, ::-1]
        picture(file, np.moveaxis(read, -1, 0))
    convert(values(3, np.uint16, H, 11), [], "hdr/imagemagick.hdr")
    read = cv2.imread("hdr/imagemagick.hdr", cv2.IMREAD_UNCHANGED)[:, :, ::-1]
    picture("hdr/imagemagick.hdr", np.moveaxis(read, -1, 0))


def npy():
    def save(name, array, version=None):
        with open(f"npy/{name}.npy", "wb") as out:
            np.lib.format.write_array(out, array, version)

    codes = ["u2", "f2", "f4", "f8", "i2", "u4", "i4", "u8", "i8"]
    for code in ["|u1", "|i1", *(order + code for code in codes for order in "<>")]:
        dtype = np.dtype(code)
        native = dtype.newbyteorder("=").type
        images = np.stack([values(3, native, seed=n) for n in range(2)])
        name = code.replace("|", "").replace("<", "little-").replace(">", "big-")
        save(name, images.astype(dtype))
        stack(f"npy/{name}.npy", images)
        save(f"{name}-fortran", np.asfortranarray(images.astype(dtype)))
        stack(f"npy/{name}-fortran.npy", images)
    for number, version in [("2", (2, 0)), ("3", (3, 0))]:
        images = values(1, np.uint16)[None]
        save(f"version{number}", images, version)
        stack(f"npy/version{number}.npy", images)

    # The shapes that stand for images, in both orders.
    for dtype in (np.uint8, np.float16):
        grey = np.stack([values(1, dtype, seed=n) for n in range(4)])
        rgb = np.stack([values(3, dtype, seed=n) for n in range(4)])
        bands = np.stack([values(4, dtype, seed=n) for n in range(2)])
        wide = values(2, dtype, 16, 17)
        for name, array, images in [
            ("hw", grey[0, 0], grey[:1]),
            ("hw1", grey[0, 0, :, :, None], grey[:1]),
            ("hw3", np.moveaxis(rgb[0], 0, -1), rgb[:1]),
            ("nhw", grey[:, 0], grey),
            ("n1hw", grey, grey),
            ("nhw1", np.moveaxis(grey, 1, -1), grey),
            ("nhw3", np.moveaxis(rgb, 1, -1), rgb),
            ("1chw", rgb[:1], rgb[:1]),
            ("n4hw", bands, bands),
            ("nhw4", np.moveaxis(bands, 1, -1), bands),
            ("hw2", np.moveaxis(wide, 0, -1), wide[None]),
        ]:
            for order, arrange in [("c", np.ascontiguousarray), ("fortran", np.asfortranarray)]:
                file = f"shape-{name}-{np.dtype(dtype)}-{order}"
                save(file, arrange(array))
                stack(f"npy/{file}.npy", images)

    for name, array in [
        ("bool", np.zeros((H, W), bool)),
        ("complex64", np.zeros((H, W), np.complex64)),
        ("text", np.full((H, W), "ab")),
        ("records", np.zeros((H, W), [("x", "<f4"), ("y", "<f4")])),
        ("zero-axes", np.zeros((), np.uint8)),
        ("one-axis", np.zeros(W, np.uint8)),
        ("five-axes", np.zeros((2, 3, 2, H, W), np.uint8)),
        ("six-channels", np.zeros((2, 6, W, H), np.uint8)),
        ("empty", np.zeros((0, 3, H, W), np.uint8)),
    ]:
        save(f"refused-{name}", array)
    np.save("npy/refused-object.npy", np.array([[None, 1]], object), allow_pickle=True)

    noisy, clean = np.stack([values(3, np.uint8, seed=n) for n in range(2)]), values(1, np.float32)[None]
    np.savez("npy/stored.npz", noisy=noisy, clean=clean)
    np.savez_compressed("npy/deflated.npz", noisy=noisy, clean=clean)
    for file in ("npy/stored.npz", "npy/deflated.npz"):
        stack(file, noisy, "noisy")
        stack(file, clean, "clean")


def cifar():
    images = np.stack([values(3, np.uint8, 32, 32, seed=n) for n in range(2)])
    with open("cifar/two.bin", "wb") as out:
        for label, image in zip((3, 9), images):
            out.write(bytes([label]) + image.tobytes())
    stack("cifar/two.bin", images)


def bombs():
    """Sound files of a few bytes, but for the size that they announce: more than 2 GiB."""

    def patched(source, name, *changes):
        with open(source, "rb") as file:
            data = bytearray(file.read())
        for place, form, *numbers in changes:
            struct.pack_into(form, data, place, *numbers)
        with open(f"bombs/{name}", "wb") as out:
            out.write(data)
        return data

    data = patched("png/rgb8.png", "bomb.png", (16, ">II", 60000, 60000))
    patched("bombs/bomb.png", "bomb.png", (29, ">I", zlib.crc32(data[12:29])))
    with open("jpeg/rgb.jpg", "rb") as file:
        frame = file.read().index(b"\xff\xc0")
    patched("jpeg/rgb.jpg", "bomb.jpg", (frame + 5, ">HH", 65000, 65000))
    patched("bmp/rgb.bmp", "bomb.bmp", (18, "<ii", 60000, 60000))
    for name, rows in [("rgb8-deflate", 15000), ("rgb8-planar", 30000), ("grey8-tiled-deflate", None)]:
        tags = tifffile.TiffFile(f"tiff/{name}.tif").pages[0].tags
        sizes = {"ImageWidth": 60000, "ImageLength": 60000}
        sizes |= {"RowsPerStrip": rows} if rows else {"TileWidth": 60000, "TileLength": 60000}
        changes = [(tags[tag].valueoffset, "<H", size) for tag, size in sizes.items()]
        patched(f"tiff/{name}.tif", f"{name}.tif", *changes)
    tags = tifffile.TiffFile("tiff/grey8-tiled-deflate.tif").pages[0].tags
    tile = [(tags[tag].valueoffset, "<H", 65520) for tag in ("TileWidth", "TileLength")]
    patched("tiff/grey8-tiled-deflate.tif", "tile.tif", *tile)
    with open("exr/rgb-float-zip.exr", "rb") as file:
        data = file.read()
    windows = [data.index(name) + len(name) + 18 for name in (b"dataWindow\0", b"displayWindow\0")]
    patched("exr/rgb-float-zip.exr", "bomb.exr", *[(place, "<ii", 59999, 59999) for place in windows])
    with open("exr/rgb-float-tiled.exr", "rb") as file:
        data = file.read()
    tiles = data.index(b"tiles\0") + len(b"tiles\0tiledesc\0") + 4
    patched("exr/rgb-float-tiled.exr", "tile.exr", (tiles, "<II", 60000, 60000))
    with open("hdr/runs.hdr", "rb") as file:
        data = file.read()
    with open("bombs/bomb.hdr", "wb") as out:
        out.write(data.replace(b"-Y 7 +X 11", b"-Y 60000 +X 60000"))


def profile(colours):
    """An ICC profile that says that it is of these colours, as those of other files do."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[16:20] = colours
    struct.pack_into(">6H", data, 24, 2026, 1, 2, 3, 4, 5)  # not the time of this run
    data[84:100] = bytes(16)  # nor the checksum over it
    return bytes(data)


def attached():
    files = []

    def note(file, icc=None, exif=None, resolution=None, description=None, associated_alpha=False):
        files.append(
            {
                "file": f"attached/{file}",
                "icc": icc and icc.hex(),
                "exif": exif and exif.hex(),
                "resolution": resolution,
                "description": description and description.hex(),
                "associated_alpha": associated_alpha,
            }
        )

    turned = Image.Exif()
    turned[0x112] = 6
    turned[0x10F] = "Maker"
    turned.get_ifd(0x8769)[0x829A] = (1, 250)
    exif = turned.tobytes()
    bare = exif.removeprefix(b"Exif\0\0")
    rgb, grey = (Image.fromarray(pixels(smooth(channels))) for channels in (3, 1))
    srgb, grey_profile, cmyk_profile = (profile(name) for name in (b"RGB ", b"GRAY", b"CMYK"))

    rgb.save("attached/photo.jpg", icc_profile=srgb, exif=exif, dpi=(300, 240))
    note("photo.jpg", srgb, bare, [[300, 1], [240, 1], "inch"])
    rgb.save("attached/photo.png", icc_profile=srgb, exif=exif, dpi=(300, 240))
    note("photo.png", srgb, bare, [[11811, 100], [9449, 100], "centimeter"])
    rgb.save("attached/photo.webp", lossless=True, icc_profile=srgb, exif=exif)
    note("photo.webp", srgb, bare)
    grey.save("attached/grey.png", icc_profile=grey_profile)
    note("grey.png", grey_profile)
    rgb.convert("CMYK").save("attached/cmyk.jpg", icc_profile=cmyk_profile)
    note("cmyk.jpg", cmyk_profile)

    # Behind the pixels, as the format allows, and with the name that JPEG gives it.
    with open("attached/photo.png", "rb") as file:
        data = file.read()
    start = data.index(b"eXIf") - 4
    end = start + 12 + len(bare)
    with open("attached/exif-last.png", "wb") as out:
        out.write(data[:start] + data[end:-12] + data[start:end] + data[-12:])
    note("exif-last.png", srgb, bare, [[11811, 100], [9449, 100], "centimeter"])
    with open("attached/photo.webp", "rb") as file:
        data = file.read()
    chunk = b"EXIF" + struct.pack("<I", len(exif)) + exif + bytes(len(exif) % 2)
    data = data[: data.index(b"EXIF")] + chunk
    with open("attached/exif-named.webp", "wb") as out:
        out.write(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    note("exif-named.webp", srgb, bare)

    def of_tags(turn=None):
        """What EXIF data say of the tags that tifffile writes: its name, and how to turn the image."""
        name, entries = b"tifffile.py\0", []
        if turn:
            entries.append(struct.pack("<HHIHH", 0x112, 3, 1, turn, 0))
        place = 8 + 2 + 12 * (len(entries) + 1) + 4
        entries.append(struct.pack("<HHII", 0x131, 2, len(name), place))
        start = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
        return start + b"".join(entries) + bytes(4) + name

    options = {"compression": "zlib", "metadata": None}
    tags = [(274, 3, 1, 8, True), (34675, 7, len(srgb), srgb, True)]
    file = "attached/turned.tif"
    image = pixels(smooth(3))
    about = {"resolution": ((5, 3), (1000, 7)), "resolutionunit": 2, "description": b"5 \xb5m"}
    tifffile.imwrite(file, image, extratags=tags, photometric="rgb", **about, **options)
    note("turned.tif", srgb, of_tags(8), [[5, 3], [1000, 7], "inch"], b"5 \xb5m")
    pages = np.stack([values(1, np.uint16, seed=n)[0] for n in range(3)])
    about = {"resolution": (15.5, 31), "metadata": {"unit": "micron", "axes": "ZYX"}}
    tifffile.imwrite("attached/imagej.tif", pages, imagej=True, **about)
    tag = tifffile.TiffFile("attached/imagej.tif").pages[0].tags["ImageDescription"]
    with open("attached/imagej.tif", "rb") as file:
        text = file.read()[tag.valueoffset :][: tag.count].rstrip(b"\0")
    note("imagej.tif", exif=of_tags(), resolution=[[31, 2], [31, 1], "none"], description=text)
    about = {"resolution": (100, 200), "resolutionunit": 3, "bigtiff": True, "byteorder": ">"}
    tifffile.imwrite("attached/big.tif", values(1, np.float32)[0], **about, **options)
    note("big.tif", exif=of_tags(), resolution=[[100, 1], [200, 1], "centimeter"])
    about = {"photometric": "rgb", "extrasamples": ["assocalpha"], "software": False}
    tifffile.imwrite("attached/associated.tif", pixels(values(4, np.uint8)), **about, **options)
    note("associated.tif", associated_alpha=True)

    with open("attached.json", "w") as out:
        json.dump(files, out, separators=(",", ":"))
        out.write("\n")


def main():
    for make in (png, jpeg, webp, bmp, tiff, exr, hdr, npy, cifar, bombs, attached):
        os.makedirs(make.__name__, exist_ok=True)
        make()
    with open("expected.json", "w") as out:
        json.dump({"arrays": arrays, "pictures": pictures, "stacks": stacks}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
