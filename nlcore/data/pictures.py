"""Picture files as a viewer shows them: upright, with white behind what is transparent, in 8 bits."""

import os
import warnings
from pathlib import Path

import numpy as np

from ..inputs import UserError, require

MOST_PIXELS = 100_000_000  # of one picture
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")


def shown(file: str | bytes | Path, side: int | None = None):
    """A picture as an RGB image of Pillow; a `UserError` names the file if it cannot be read.

    With `side`, a JPEG need not be decoded much larger than a square of so many pixels.
    """
    from PIL import Image, ImageOps  # only where pictures are decoded

    name = os.fsdecode(file)
    require(os.path.isfile(name) or not os.path.exists(name), f"{name} is no file")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(name) as image:  # our own limit is below
            few = image.width * image.height <= MOST_PIXELS
            require(
                few, f"{name} has {image.width} x {image.height} pixels, more than {MOST_PIXELS:,}; make it smaller"
            )
            if side:
                image.draft("RGB", (side, side))
            _check_pages(image, name)
            scaled = image.format == "PPM"  # by Pillow, to 16 bits
            return _rgb(ImageOps.exif_transpose(image), name, scaled)
    except UserError:
        raise
    except Exception as error:  # whatever a torn file makes of reading it
        raise UserError(f"{name} cannot be decoded ({error})") from None


def _check_pages(image, name: str) -> None:
    """Refuse a picture of several pages or frames of one size, as slices, channels or films are; a smaller second page
    is a preview."""
    if image.format in ("TIFF", "GIF", "WEBP", "PNG") and getattr(image, "n_frames", 1) > 1:
        first, pages = image.size, image.n_frames
        image.seek(1)
        second = image.size
        image.seek(0)
        told = f"{name} has {pages} pages, of which only the first would be read; save each as a picture of its own"
        require(first != second, told)


def _rgb(image, name: str, scaled: bool):
    """An image of any mode as RGB; one whose numbers have no known range, as they are not `scaled`, is refused."""
    from PIL import Image

    known = image.mode not in ("I", "F") or scaled
    require(known, f"{name} has numbers of 32 bits, of which white is not known; save it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.float32) / 257  # 65,535 is white
        return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def is_picture(file: Path) -> bool:
    """Whether a file is meant to be a picture: by its suffix, or else by how it begins."""
    from PIL import Image

    if file.suffix.lower() in SUFFIXES:
        return True
    try:
        with Image.open(file):
            return True
    except Exception:  # likewise
        return False
