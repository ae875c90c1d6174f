"""Images and true labels: known data sets, the user's own, archives too large for the device."""

from .datasets import classes, listing, load, parted, pin, shared, train_size
from .images import balanced
from .prepared import KNOWN, Dataset, Images, read, root, verified
