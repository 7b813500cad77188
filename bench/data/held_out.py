"""Takes validation images out of a training list that comes without any."""

from __future__ import annotations

RUN = 10  # images


def held_out(total: int, count: int) -> list[int]:
    """Returns which `count` of the positions 0 to total - 1 are held out, in order.

    They come in runs of about ten, spread evenly: neighbours in the lists of video data sets often show one room, and
    single images would leave almost the same image on the other side. Nothing is drawn at random.

    Args:
        total: images in the list.
        count: images to hold out, less than `total`.

    Edge cases: fewer than ten are one run, the last ones.
    """
    assert 0 <= count < total
    runs = max(1, count // RUN)
    ends = [count * (run + 1) // runs for run in range(runs)]  # held out up to the end of each run
    positions: list[int] = []
    for before, end in zip([0, *ends], ends, strict=False):
        last = total * end // max(1, count)
        positions += range(last - (end - before), last)
    return positions
