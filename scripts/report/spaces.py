# SPDX-License-Identifier: Apache-2.0
"""The address spaces of producer and consumer, and the physical pages between them.

One band for each VMO: its pages in the middle, the producer's mappings on the left, the consumer's
on the right. The record has the pages that were read as a number for each mapping.
"""
import dataclasses

from judge import facts
from judge.facts import CONSUMER_PID, PAGE_BYTES, PRODUCER_PID
from report import draw
from report.draw import counted, label, rect
from report.markup import tag, table

CELLS_MAX = 12  # of a VMO; a larger one has several pages in a cell
CELL, BAND = 20, 48  # heights: of a cell, and of the smallest band
LANES_MAX = 3
VMOS_MAX, ROWS_MAX = 4, 24
GAP, HEAD = 30, 34  # above a band, above all
SIDES = {PRODUCER_PID: (0, 92), CONSUMER_PID: (238, 92)}  # x, width
PAGES = (118, 94)  # x, width of the physical pages
SMALL = 9.5
WORDS = {"r": "read-only", "rw": "read and write", "w": "write-only"}


@dataclasses.dataclass
class Band:
    """One VMO on its way down the drawing."""

    vmo: dict
    name: str
    top: float
    pages: int
    cells: int

    def height(self):
        return max(BAND, CELL * self.cells)

    def y_of(self, page):
        return self.top + self.height() * min(page, self.pages) / self.pages


def handed_names(audit, names):
    """names: of the VMOs that go to the consumer, in order. -> {id of a VMO: its name}"""
    hands = [hand for hand in audit["hand"] if hand["vmo"] and hand["to"] == CONSUMER_PID]
    hands.sort(key=lambda hand: hand.get("seq", 0))  # Linux has them in order, without numbers
    return dict(zip(dict.fromkeys(hand["vmo"] for hand in hands), names))


def bands_of(audit, known):
    """The first VMOs that can be drawn."""
    names, top, found = handed_names(audit, known), HEAD + GAP, []
    for vmo in [vmo for vmo in audit["vmo"] if vmo["bytes"] >= PAGE_BYTES][:VMOS_MAX]:
        pages = facts.pages_of(vmo["bytes"])
        name = names.get(vmo["id"], "not handed over")
        found.append(Band(vmo, name, top, pages, min(pages, CELLS_MAX)))
        top += found[-1].height() + GAP
    return found


def right_of(record):
    """r, w, rw, or a word that no legend has, as the record says it."""
    return record["prot"] or "none"


def class_of(record):
    kind = "write" if "w" in record["prot"] else "read" if "r" in record["prot"] else "none"
    return f"map {kind}{'' if is_whole(record) else ' part'}"


def pages_in(record):
    return record["bytes"] // PAGE_BYTES


def is_whole(record):
    """Every page of the mapping was read."""
    return record["accessed"] == pages_in(record)


def read_words(record):
    count = record["accessed"]
    return "not known" if count is None else f"{count:,} of {pages_in(record):,}"


def written_words(record):
    count = record["dirtied"]
    return "not known" if count is None else f"{count:,}"


def done_words(record):
    """What was done through a mapping. Linux tells which pages are in the page table."""
    if record["dirtied"] is None:
        return [] if record["accessed"] is None else [read_words(record), "present"]
    return [f"read {read_words(record)}", f"written {written_words(record)}"]


def is_placed(band, record):
    """Its physical pages are the VMO's own at that offset."""
    start = record["base"] - record["off"]
    known = band.vmo["base"] or start  # a witness sees no base: the mappings are what it has
    inside = 0 <= record["off"] and record["off"] + record["bytes"] <= band.pages * PAGE_BYTES
    return inside and start == known


def lanes_of(records):
    """Mappings that cover the same page lie side by side. -> [(record, lane)], number of lanes"""
    ends, placed = [], []
    for record in sorted(records, key=lambda item: (item["off"], -item["bytes"])):
        lane = next((n for n, end in enumerate(ends) if end <= record["off"]), len(ends))
        if lane == LANES_MAX:
            continue
        ends[lane : lane + 1] = [record["off"] + record["bytes"]]
        placed.append((record, lane))
    return placed, max(1, len(ends))


def mapping_of(band, record, x, width):
    """The box of one mapping, and what was done through it as far as there is room."""
    first = record["off"] / PAGE_BYTES
    top, end = band.y_of(first), band.y_of(first + pages_in(record))
    place = (x + 1, top + 1, width - 2, end - top - 2)
    box = [rect(*place, class_of(record)), None if is_whole(record) else rect(*place, "hatch")]
    middle, told = x + width / 2, [right_of(record)]
    if end - top >= 40 and width >= 85:
        told += done_words(record)
    y = (top + end) / 2 - 6 * (len(told) - 1) + 3.5
    kinds = ["right", "small", "small"]
    words = [
        label(middle, y + 12 * n, word, kinds[n], "middle", width - 2, SMALL)
        for n, word in enumerate(told)
    ]
    return tag("g", box, words)


def side_of(band, records, pid):
    """One task's mappings of a VMO, with the bands that lead to the pages."""
    (x, width), parts, links = SIDES[pid], [], []
    placed, count = lanes_of([record for record in records if is_placed(band, record)])
    far = PAGES[0] if pid == PRODUCER_PID else sum(PAGES)
    for record, lane in placed:
        lane = lane if pid == PRODUCER_PID else count - 1 - lane
        first = record["off"] / PAGE_BYTES
        top, end = band.y_of(first), band.y_of(first + pages_in(record))
        start = x + width * (lane + (pid == PRODUCER_PID)) / count  # the edge towards the pages
        points = [(start, top + 1), (far, top + 1), (far, end - 1), (start, end - 1)]
        links.append(draw.shape(points, f"link {class_of(record)}"))
        parts.append(mapping_of(band, record, x + width * lane / count, width / count))
    if not placed:
        kind = {"class_": "small", "anchor": "middle", "room": width, "size": SMALL}
        parts.append(label(x + width / 2, band.top + band.height() / 2 + 3, "not mapped", **kind))
    return links, parts


def cell_words(band, cell, is_linux):
    """The name of a cell: the physical address of its first page, on Linux the page's number."""
    first = cell * band.pages // band.cells
    return (
        f"page {first:,}"
        if is_linux or not band.vmo["base"]
        else f"{band.vmo['base'] + first * PAGE_BYTES:#x}"
    )


def middle_of(band, is_linux):
    """The pages. A cell has several if there are many."""
    x, width = PAGES
    each = band.height() / band.cells
    for cell in range(band.cells):
        y = band.top + cell * each
        yield rect(x, y + 0.5, width, each - 1, "cell")
        words = cell_words(band, cell, is_linux)
        yield label(x + width / 2, y + each / 2 + 3, words, "mono", "middle", width, SMALL)


def band_of(band, audit, is_linux):
    sides = {
        pid: side_of(band, [r for r in audit.maps_of(pid) if r["vmo"] == band.vmo["id"]], pid)
        for pid in SIDES
    }
    size = counted(band.pages, "page")
    many = f", {band.pages // band.cells} or more in a cell" if band.cells < band.pages else ""
    words = f"VMO {band.vmo['id']}: {band.name}, {size}{many}"
    yield label(draw.WIDTH / 2, band.top - 9, words, "strong", "middle")
    yield [links for links, _ in sides.values()]
    yield middle_of(band, is_linux)
    yield [parts for _, parts in sides.values()]


def heads_of(is_linux):
    what = "memfd pages" if is_linux else "physical pages"
    for x, width, words in (
        (*SIDES[PRODUCER_PID], "producer"),
        (*PAGES, what),
        (*SIDES[CONSUMER_PID], "consumer"),
    ):
        yield label(x + width / 2, 14, words, "head", "middle", width + 20)
        yield draw.line(x, 22, x + width, 22, "rule")


def describe(audit, bands):
    """The drawing in words."""
    said = []
    for band in bands:
        for pid in SIDES:
            mine = [r for r in audit.maps_of(pid) if r["vmo"] == band.vmo["id"]][:LANES_MAX]
            how = "; ".join(f"{right_of(r)}, pages read {read_words(r)}" for r in mine)
            said.append(f"VMO {band.vmo['id']} in the {draw.who(pid)}: {how or 'not mapped'}.")
    return " ".join(said)


def picture(name, audit, known, is_linux):
    """name: prefix of the drawing's ids. known: names of the VMOs that go to the consumer"""
    bands = bands_of(audit, known)
    if not bands:
        return tag("p", "No VMO was recorded.")
    height = bands[-1].top + bands[-1].height() + 4
    parts = [heads_of(is_linux), (band_of(band, audit, is_linux) for band in bands)]
    title = "Address spaces of producer and consumer, and the pages between them"
    return draw.drawing(f"{name}-spaces", title, describe(audit, bands), height, *parts)


def legend(is_linux):
    """Names each colour and pattern."""
    read = "in the page table" if is_linux else "read"
    kinds = (
        ("map write", "rw: may read and write"),
        ("map read", "r: may only read"),
        ("map none part", f"hatched: not every page is {read}"),
    )
    return tag(
        "ul",
        (tag("li", tag("span", class_=f"key {kind}"), words) for kind, words in kinds),
        class_="legend",
    )


def rows_of(audit, bands):
    by_id = {band.vmo["id"]: band for band in bands}
    for record in audit["map"]:
        band, place = by_id.get(record["vmo"]), f"{record['base']:#x}"
        strange = band is not None and not is_placed(band, record)
        who = f"{draw.who(record['pid'])}, VMO {record['vmo']}, {right_of(record)}"
        yield [
            who,
            read_words(record),
            written_words(record),
            f"{place}, not the VMO's" if strange else place,
        ]


def mappings(audit, known, is_linux, most=ROWS_MAX):
    """Every mapping as a table, and how many are not shown."""
    rows = list(rows_of(audit, bands_of(audit, known)))
    heads = ["mapping", "pages read", "written", "first page"]
    if is_linux:  # the addresses are the harness's own
        heads, rows = ["mapping", "pages in the page table"], [row[:2] for row in rows]
    return [
        table("Mappings", heads, rows[:most], class_="grid"),
        draw.rest_of(rows, most, "mapping"),
    ]
