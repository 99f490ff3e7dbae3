# SPDX-License-Identifier: Apache-2.0
"""SipHash-2-4, as in the kernel's audit (docs/testing/audit.md), for many pages in parallel.

One large integer has a lane of 128 bits for the 64-bit word of each page, so each step of the hash
is one operation for all pages. A MiB takes about 0.1 s.
"""
import array

PAGE_BYTES = 4096
WORD_BYTES = 8
MASK = (1 << 64) - 1
LANE_BITS = 128
INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
LANES_MAX = 4096  # pages hashed at once: bounds the memory


def rotate(value, bits, mask):
    return (value << bits & mask) | (value >> (64 - bits) & mask)


def rounds(state, count, mask):
    a, b, c, d = state
    for _ in range(count):
        a = a + b & mask
        c = c + d & mask
        b = rotate(b, 13, mask) ^ a
        d = rotate(d, 16, mask) ^ c
        a = rotate(a, 32, mask)
        c = c + b & mask
        a = a + d & mask
        b = rotate(b, 17, mask) ^ c
        d = rotate(d, 21, mask) ^ a
        c = rotate(c, 32, mask)
    return a, b, c, d


def hash_words(key, words, lanes=1):
    """words: one integer for each step, with a lane for each message. -> the hashes, in lanes"""
    ones = sum(1 << LANE_BITS * lane for lane in range(lanes))
    mask = MASK * ones
    state = tuple((key[number % 2] ^ start) * ones for number, start in enumerate(INITIAL))
    for word in words:
        a, b, c, d = rounds((*state[:3], state[3] ^ word), 2, mask)
        state = (a ^ word, b, c, d)
    a, b, c, d = rounds((*state[:2], state[2] ^ 0xFF * ones, state[3]), 4, mask)
    return a ^ b ^ c ^ d


def siphash(key, data):
    """key: two integers. -> the hash of any bytes as an integer"""
    whole = len(data) // WORD_BYTES * WORD_BYTES
    starts = range(0, whole, WORD_BYTES)
    words = [int.from_bytes(data[at : at + WORD_BYTES], "little") for at in starts]
    last = int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56
    return hash_words(key, [*words, last])


def page_hashes(key, data):
    """data: whole pages, at most LANES_MAX. -> the hashes of the pages as bytes, in order"""
    lanes, words = len(data) // PAGE_BYTES, array.array("Q", data)
    step, spread = PAGE_BYTES // WORD_BYTES, array.array("Q", bytes(2 * WORD_BYTES * lanes))

    def columns():
        for at in range(step):
            spread[0::2] = words[at::step]
            yield int.from_bytes(spread.tobytes(), "little")
        yield 0  # the last word: no byte is left, and the length's low byte is 0

    hashes = hash_words(key, columns(), lanes)
    found = hashes.to_bytes(lanes * LANE_BITS // 8, "little")
    return b"".join(found[at : at + WORD_BYTES] for at in range(0, len(found), LANE_BITS // 8))


def key_of(nonce):
    text = nonce.encode("ascii")
    return siphash((0, 0), text), siphash((1, 0), text)


def content_hash(nonce, data):
    """The audit's hash of these bytes and zeros to the end of their last page. -> 16 hex digits"""
    key, found = key_of(nonce), []
    for at in range(0, len(data), LANES_MAX * PAGE_BYTES):
        part = data[at : at + LANES_MAX * PAGE_BYTES]
        found.append(page_hashes(key, part + bytes(-len(part) % PAGE_BYTES)))
    return f"{siphash(key, b''.join(found)):016x}"
