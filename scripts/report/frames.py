# SPDX-License-Identifier: Apache-2.0
"""The frames of a stream: in which order, and through which buffers of the pool.

The kernel sees no frame. What is known is the consumer's reply: how many it took, and where the
last ones lay. The digest in the same reply shows that all of them came in order.
"""
import collections
import struct

from judge import check_share, facts
from report import draw
from report.draw import counted, label, rect
from report.markup import tag

# The reply of payloads/stream: digest, counters, frames, the frame that each buffer held last, the
# buffer of each of the last frames by its number modulo 4, seal, who enforces it.
REPLY = struct.Struct("<32sQQQQ4I4BHH")
BUFFERS, SHOWN_MAX = 4, 16
Told = collections.namedtuple("Told", "frames places")  # places: {number of a frame: its buffer}
LEFT, HEAD, ROW, SIZE = 66, 42, 20, 9.5


def told(audit):
    """-> Told, or None if no reply has frames that can be drawn"""
    bodies = [
        check_share.body_of(message)
        for message in audit["msg"]
        if check_share.way_of(message) == check_share.TO_PRODUCER
    ]
    whole = [REPLY.unpack(body) for body in bodies if len(body) == REPLY.size]
    if len(whole) != 1 or whole[0][4] < 1:
        return None
    count, last, slots = whole[0][4], whole[0][5:9], whole[0][9:13]
    places = {number: buffer for buffer, number in enumerate(last) if number}
    for number in range(max(1, count - BUFFERS + 1), count + 1):
        places[number] = slots[number % BUFFERS]
    return Told(count, {number: at for number, at in places.items() if at < BUFFERS})


def cells(said, first, width):
    for number in range(first, said.frames + 1):
        x, middle = LEFT + width * (number - first), LEFT + width * (number - first + 0.5)
        yield label(middle, HEAD - 8, str(number % 1000), "small", "middle", width + 4, 9)
        for buffer in range(BUFFERS):
            is_here = said.places.get(number) == buffer
            kind = "map read" if is_here else "cell"
            yield rect(x + 1, HEAD + ROW * buffer + 1, width - 2, ROW - 2, kind)


def picture(name, audit):
    """name: prefix of the drawing's ids."""
    said = told(audit)
    if said is None:
        return tag("p", "No reply says which frames were taken.", class_="note")
    first = max(1, said.frames - SHOWN_MAX + 1)
    width = min(24, (draw.WIDTH - LEFT) / (said.frames - first + 1))
    parts = [label(LEFT, 14, f"frames {first:,} to {said.frames:,}, in order", "head")]
    for buffer in range(BUFFERS):
        y = HEAD + ROW * buffer + ROW / 2 + 3
        parts.append(label(LEFT - 6, y, f"buffer {buffer}", "small", "end", LEFT - 6, SIZE))
    parts.append(cells(said, first, width))
    places = "; ".join(f"frame {n} in buffer {at}" for n, at in sorted(said.places.items()))
    words = f"{counted(said.frames, 'frame')} through {BUFFERS} buffers. At the end: {places}."
    drawn = draw.drawing(
        f"{name}-frames", "Frames of the stream", words, HEAD + ROW * BUFFERS + 4, *parts
    )
    note = "Filled: where the last frames lay. The record does not have where the earlier ones lay."
    return [tag("p", words), drawn, tag("p", note, class_="note")]
