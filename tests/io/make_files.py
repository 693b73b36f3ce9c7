"""Creates tests/io/data: small files, written by other programs, that halfstep must read.

    python tests/io/make_files.py        # needs numpy, safetensors and pillow

Run it again only to add files. data/VERSIONS has the versions of the programs that wrote them.
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
import PIL
import PIL.features
import PIL.Image
import safetensors
import safetensors.numpy

DATA = pathlib.Path(__file__).parent / "data"


def pixels(height, width, channels):
    """Returns (37 x + 61 y + 89 c) mod 256, the formula that the tests use."""
    y, x, c = np.meshgrid(range(height), range(width), range(channels), indexing="ij")
    return ((37 * x + 61 * y + 89 * c) % 256).astype(np.uint8)


def smooth(height, width, channels):
    """Returns a slope, which lossy formats preserve well."""
    y, x, c = np.meshgrid(range(height), range(width), range(channels), indexing="ij")
    return (40 + 5 * x + 3 * y + 30 * c).astype(np.uint8)


def numpy_files():
    f4 = np.arange(6, dtype="<f4").reshape(2, 3) / 2
    np.save(DATA / "f4.npy", f4)
    np.save(DATA / "fortran_f8.npy", np.asfortranarray(np.arange(24, dtype="<f8").reshape(2, 3, 4)))
    np.save(DATA / "scalar_i8.npy", np.int64(-7))
    np.save(DATA / "empty_i2.npy", np.zeros((0, 5), dtype="<i2"))
    np.save(DATA / "bool.npy", np.array([True, False, True]))
    np.save(DATA / "big_endian.npy", f4.astype(">f4"))
    np.save(DATA / "object.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(DATA / "structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    np.save(DATA / "text.npy", np.array(["ab", "c"]))
    for version in (2, 3):
        with open(DATA / f"version{version}.npy", "wb") as file:
            np.lib.format.write_array(file, np.arange(4, dtype="<i4"), version=(version, 0))
    moments = {"mu": np.arange(3, dtype="<f8"), "sigma": np.eye(3, dtype="<f8")}
    np.savez(DATA / "moments.npz", **moments)
    samples = pixels(4, 4, 3)[None]
    np.savez_compressed(DATA / "samples.npz", samples, np.array([3], dtype="<i8"))


def safetensors_file():
    tensors = {
        "weight": np.arange(6, dtype="<f4").reshape(2, 3),
        "half": np.array([1, -2], dtype="<f2"),
        "flag": np.array([True, False, True]),
        "count": np.array(5, dtype="<i8"),
        "none": np.zeros((0, 4), dtype="<f8"),
    }
    safetensors.numpy.save_file(tensors, DATA / "mixed.safetensors", {"halfstep": '{"a": 1}'})


def adam7_png(image):
    """Returns an interlaced gray PNG, which Pillow cannot write."""
    raw = b""
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    for x, y, step_x, step_y in starts:
        part = image[y::step_y, x::step_x]
        if part.size:
            raw += b"".join(b"\0" + row.tobytes() for row in part)

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 0, 0, 0, 1)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def images():
    rgb = PIL.Image.fromarray(pixels(5, 7, 3))
    gray = PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0])
    rgba = PIL.Image.fromarray(pixels(5, 7, 4))
    rgb.save(DATA / "rgb.png")
    gray.save(DATA / "gray.png")
    rgba.save(DATA / "rgba.png")
    gray.convert("LA").save(DATA / "gray_alpha.png")
    # 257 v is the 16-bit equivalent of v.
    PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0].astype(np.uint16) * 257).save(DATA / "gray16.png")
    PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0] >= 128).save(DATA / "bits.png")
    palette = PIL.Image.fromarray((pixels(5, 7, 1)[:, :, 0] % 4).astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 10, 20, 30, 100, 110, 120, 255, 254, 253])
    palette.save(DATA / "palette.png", transparency=2)
    (DATA / "interlaced.png").write_bytes(adam7_png(pixels(5, 7, 1)[:, :, 0]))

    rgb.save(DATA / "lossless.webp", lossless=True)
    rgba.save(DATA / "alpha.webp", lossless=True, exact=True)
    rgb.save(DATA / "animated.webp", save_all=True, append_images=[gray.convert("RGB")], lossless=True)

    slope = PIL.Image.fromarray(smooth(16, 16, 3))
    options = {"quality": 95, "subsampling": 0}
    slope.save(DATA / "rgb.jpg", **options)
    slope.save(DATA / "progressive.jpg", progressive=True, **options)
    PIL.Image.fromarray(smooth(16, 16, 1)[:, :, 0]).save(DATA / "gray.jpg", quality=95)
    slope.convert("CMYK").save(DATA / "cmyk.jpg", quality=95)
    slope.save(DATA / "lossy.webp", quality=95)


def images_of_other_formats():
    rgb = PIL.Image.fromarray(pixels(5, 7, 3))
    gray = PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0])
    rgba = PIL.Image.fromarray(pixels(5, 7, 4))
    palette = PIL.Image.fromarray((pixels(5, 7, 1)[:, :, 0] % 4).astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 10, 20, 30, 100, 110, 120, 255, 254, 253])
    rgb.save(DATA / "rgb.bmp")
    gray.save(DATA / "gray.bmp")
    rgba.save(DATA / "rgba.bmp")
    palette.save(DATA / "palette.bmp")
    PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0] >= 128).save(DATA / "bits.bmp")
    palette.save(DATA / "palette.gif", interlace=0)
    palette.save(DATA / "interlaced.gif", interlace=1)
    gray.save(DATA / "gray.gif")
    palette.save(DATA / "animated.gif", save_all=True, append_images=[palette.rotate(180)])
    rgb.save(DATA / "rgb.tif", compression="tiff_lzw")
    rgba.save(DATA / "rgba.tif")
    gray.save(DATA / "gray.tif", compression="packbits")
    palette.save(DATA / "palette.tif")
    PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0].astype(np.uint16) * 257).save(DATA / "gray16.tif")
    rgb.save(DATA / "pages.tif", save_all=True, append_images=[gray])
    PIL.Image.fromarray(pixels(5, 7, 1)[:, :, 0].astype(np.float32)).save(DATA / "float.tif")


def oriented_images():
    """Images that are stored on their side, with the orientation that turns them upright."""
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    on_side = PIL.Image.fromarray(pixels(5, 7, 3)).transpose(PIL.Image.Transpose.ROTATE_90)
    on_side.save(DATA / "orientation6.png", exif=exif)
    on_side.save(DATA / "orientation6.webp", lossless=True, exif=exif)
    on_side.save(DATA / "orientation6.tif", exif=exif)
    on_side = PIL.Image.fromarray(smooth(16, 16, 3)).transpose(PIL.Image.Transpose.ROTATE_90)
    on_side.save(DATA / "orientation6.jpg", quality=95, subsampling=0, exif=exif)


def main():
    DATA.mkdir(exist_ok=True)
    numpy_files()
    safetensors_file()
    images()
    images_of_other_formats()
    oriented_images()
    versions = io.StringIO()
    print("python", sys.version.split()[0], file=versions)
    print("numpy", np.__version__, file=versions)
    print("safetensors", safetensors.__version__, file=versions)
    print("pillow", PIL.__version__, "libjpeg-turbo", PIL.features.version("libjpeg_turbo"), file=versions)
    print(versions.getvalue(), end="")
    (DATA / "VERSIONS").write_text(versions.getvalue())


if __name__ == "__main__":
    main()
