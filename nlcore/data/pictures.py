"""Picture files as a viewer shows them: upright, with white behind what is transparent, in 8 bits."""

import os
import warnings
from pathlib import Path
from typing import NamedTuple

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
            greys = _greys(image)  # a turned picture has lost its tags
            return _rgb(ImageOps.exif_transpose(image), name, scaled, greys)
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


class Greys(NamedTuple):
    """What the numbers of a grey picture of more than 8 bits mean: how many there are at most, and whether 0 is white,
    as in pictures of X-rays."""

    bits: int = 16
    inverted: bool = False


def _greys(image) -> Greys:
    """By the tags of a TIFF; other files have 16 bits, and 0 is black."""
    tags = getattr(image, "tag_v2", {})
    bits, photometric = tags.get(258, 16), tags.get(262, 1)
    return Greys(max(bits) if isinstance(bits, tuple) else bits, photometric == 0)


def _rgb(image, name: str, scaled: bool, greys: Greys):
    """An image of any mode as RGB; one whose numbers have no known range, as they are not `scaled`, is refused."""
    from PIL import Image

    known = image.mode not in ("I", "F") or scaled
    require(known, f"{name} has numbers of 32 bits, of which white is not known; save it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        number = np.asarray(image)
        grey = number.astype(np.float32) * 255 / (2**greys.bits - 1)
        grey = 255 - grey if greys.inverted else grey
        grey[number == image.info.get("transparency", -1)] = 255
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
