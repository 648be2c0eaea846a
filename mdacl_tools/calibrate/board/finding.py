"""Looking for a board in all pairs of a recording or folder."""

from __future__ import annotations

from dataclasses import dataclass, field

from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.calibrate.board.board import Board
from mdacl_tools.calibrate.board.finder import BoardFinder
from mdacl_tools.calibrate.board.pair_types import PairSource
from mdacl_tools.calibrate.board.pairs import read_pairs
from mdacl_tools.calibrate.board.sighting import BoardView
from mdacl_tools.util.progress import progress_bar


@dataclass(slots=True)
class Search:
    """What was found.

    Attributes:
        views: Pairs in which at least one camera saw the board.
        looked: How many pairs were looked at.
        sizes: ``(width, height)`` of each camera's images.
    """

    views: list[BoardView] = field(default_factory=list)
    looked: int = 0
    sizes: dict[Modality, tuple[int, int]] = field(default_factory=dict)


def find_views(board: Board, source: PairSource) -> Search:
    """Look for a board.

    Args:
        board: The target.
        source: Where the images are.

    Raises:
        MdaclError: They cannot be read or are no pairs; see :func:`.pairs.read_pairs`.
    """
    finders = {camera: BoardFinder(board) for camera in MODALITIES}
    search = Search()
    with progress_bar("looking for the board", source.most) as advance:
        for pair in read_pairs(source):
            search.looked += 1
            advance(1)
            sightings = {}
            for camera, image in pair.images.items():
                search.sizes[camera] = (image.shape[1], image.shape[0])
                if (seen := finders[camera](image)) is not None:
                    sightings[camera] = seen
            if sightings:
                search.views.append(BoardView(pair.name, sightings))
        advance(max(0, source.most - search.looked))
    return search
