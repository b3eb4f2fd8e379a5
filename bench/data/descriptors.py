"""SIFT descriptors of the photographs in a folder. Not the TEXMEX set, which cannot be had as a package; the same
algorithm on other pictures."""

import cv2
import numpy as np

# So many of one picture, that none makes up the set.
PER_PICTURE = 40_000
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
# Smaller pictures are icons.
SIDE_MIN = 400


def descriptors(folder):
    """All descriptors, whole numbers of 0 to 255, [n, 128]."""
    cv2.setNumThreads(1)
    finder = cv2.SIFT_create(nfeatures=PER_PICTURE)
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()):
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None or min(picture.shape) < SIDE_MIN:
            continue
        _, rows = finder.detectAndCompute(picture, None)
        if rows is not None:
            found.append(rows[:PER_PICTURE].astype(np.uint8))
    return np.concatenate(found)
