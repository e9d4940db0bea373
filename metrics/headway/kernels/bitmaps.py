"""Days on which people were active, a bit a day: questions on days become arithmetic on words.

Bit ``day % 64`` of word ``day // 64`` says whether the person was active on that day, counted from 1970-01-01 on the
local calendar. The same words also hold weeks or months, a bit each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

BITS = 64
#: Words that one `Activity` spans at most: a stray event of long ago must not widen everybody's.
CHUNK_WORDS = 6
_LANES = np.uint64(0x0101010101010101)
_MOST_IN_A_LANE = 255


@dataclass(frozen=True)
class Activity:
    """Active days of some persons within some words.

    Attributes:
        first_word: Number of the first word.
        persons: Persons with activity, ascending.
        words: One row per word, one column per person.
    """

    first_word: int
    persons: npt.NDArray[np.uint32]
    words: Words


def active_days(
    person: npt.NDArray[np.integer], day: npt.NDArray[np.integer], *, chunk_words: int = CHUNK_WORDS
) -> list[Activity]:
    """Collects the days on which persons have events.

    Args:
        person: Who, ascending.
        day: On which day, in any order.
        chunk_words: Words to keep together; persons without activity in them are left out.

    Returns:
        Activity by chunk of words, ascending; chunks without any are left out.

    Examples:
        >>> (found,) = active_days(np.array([3, 3, 5]), np.array([0, 65, 64]))
        >>> found.persons.tolist(), found.words.tolist()
        ([3, 5], [[1, 0], [2, 1]])
    """
    if not len(person):
        return []
    word = day.astype(np.int64) // BITS
    chunk = word // chunk_words
    result = []
    first, last = int(chunk.min()), int(chunk.max())
    for number in [first] if first == last else np.unique(chunk).tolist():
        inside = slice(None) if first == last else chunk == number
        result.append(_pack(person[inside], day[inside], word[inside]))
    return result


def _pack(
    person: npt.NDArray[np.integer], day: npt.NDArray[np.integer], word: npt.NDArray[np.int64]
) -> Activity:
    bit = np.left_shift(np.uint64(1), (day.astype(np.int64) % BITS).astype(np.uint64))
    begins = np.ones(len(person), np.bool_)
    np.not_equal(person[1:], person[:-1], out=begins[1:])
    edges = np.flatnonzero(begins)
    low, high = int(word.min()), int(word.max())
    words = np.empty((high - low + 1, len(edges)), np.uint64)
    for number in range(low, high + 1):
        masked = bit if low == high else np.where(word == number, bit, np.uint64(0))
        words[number - low] = np.bitwise_or.reduceat(masked, edges)
    return Activity(low, person.take(edges).astype(np.uint32), words)


def combine(activities: Iterable[Activity], people: int, first_word: int, last_word: int) -> Words:
    """Lays activities over each other, for everybody.

    Args:
        activities: Activities.
        people: Number of persons there are; their numbers are below it.
        first_word: Number of the first word wanted.
        last_word: Number of the last word wanted.

    Returns:
        One row per word, one column per person.

    Examples:
        >>> one = Activity(0, np.array([1], np.uint32), np.array([[1], [4]], np.uint64))
        >>> combine([one, one], 2, 1, 2).tolist()
        [[0, 4], [0, 0]]
    """
    words = np.zeros((max(last_word - first_word + 1, 0), people), np.uint64)
    filled = np.zeros(len(words), np.bool_)
    for each in activities:
        for place, row in enumerate(each.words, start=each.first_word - first_word):
            if not 0 <= place < len(words):
                continue
            if filled[place]:
                words[place][each.persons] |= row
            else:
                # Nothing to lay it over, and no person is there twice.
                words[place][each.persons] = row
                filled[place] = True
    return words


def first_days(activities: Iterable[Activity], people: int) -> npt.NDArray[np.int32]:
    """Finds everybody's first active day.

    Args:
        activities: Activities.
        people: Number of persons there are.

    Returns:
        Day by person; the largest number there is for those who never were active.

    Examples:
        >>> one = Activity(1, np.array([1], np.uint32), np.array([[0], [4]], np.uint64))
        >>> first_days([one], 2).tolist() == [2**31 - 1, 130]
        True
    """
    first = np.full(people, np.iinfo(np.int32).max, np.int32)
    for each in activities:
        found = np.full(len(each.persons), np.iinfo(np.int32).max, np.int32)
        for number in range(len(each.words) - 1, -1, -1):
            row = each.words[number]
            lowest = np.bitwise_count(~row & (row - np.uint64(1))).astype(np.int32)
            np.copyto(found, lowest + (each.first_word + number) * BITS, where=row != 0)
        first[each.persons] = np.minimum(first[each.persons], found)
    return first


def grouped(words: Words, first_word: int, edges: npt.NDArray[np.integer]) -> Words:
    """Turns days into periods: a bit says whether the person was active on any day of the period.

    Args:
        words: Words of days, one row per word.
        first_word: Number of the first word.
        edges: First day of each period, ascending, and the day after the last period.

    Returns:
        Words whose bits number the periods from 0.

    Examples:
        >>> grouped(np.array([[0b0100001]], np.uint64), 0, np.array([0, 3, 6, 9])).tolist()
        [[3]]
    """
    count = len(edges) - 1
    result = np.zeros((-(-max(count, 1) // BITS), words.shape[1]), np.uint64)
    last_day = (first_word + len(words)) * BITS
    for number in range(count):
        low, high = max(int(edges[number]), first_word * BITS), min(int(edges[number + 1]), last_day)
        active = np.zeros(words.shape[1], np.bool_)
        while low < high:
            end = min(high, (low // BITS + 1) * BITS)
            mask = np.uint64(((1 << (end - low)) - 1) << (low % BITS))
            active |= (words[low // BITS - first_word] & mask) != 0
            low = end
        result[number // BITS] |= np.left_shift(active.astype(np.uint64), np.uint64(number % BITS))
    return result


def within(words: Words, first: int, after: int) -> Words:
    """Keeps a range of bits.

    Args:
        words: One row per word.
        first: The first bit to keep, counted from that of the first word.
        after: The bit after the last one to keep.

    Returns:
        Words of the same shape; other bits are not set.

    Examples:
        >>> within(np.array([[15], [15]], np.uint64), 2, 65).tolist()
        [[12], [1]]
    """
    result = np.zeros_like(words)
    for number in range(len(words)):
        low, high = max(first - number * BITS, 0), min(after - number * BITS, BITS)
        if low < high:
            result[number] = words[number] & np.uint64(((1 << (high - low)) - 1) << low)
    return result


def delayed(words: Words, days: int) -> Words:
    """Moves activity to so many days later; what moves out at the end is lost.

    Args:
        words: One row per word.
        days: How many days.

    Returns:
        Words of the same shape.

    Examples:
        >>> delayed(np.array([[3 << 62], [0]], np.uint64), 1).tolist() == [[1 << 63], [1]]
        True
    """
    whole, bits = divmod(days, BITS)
    result = np.zeros_like(words)
    if whole < len(words):
        result[whole:] = words[: len(words) - whole] << np.uint64(bits)
        if bits and whole + 1 < len(words):
            result[whole + 1 :] |= words[: len(words) - whole - 1] >> np.uint64(BITS - bits)
    return result


def trailing(words: Words, days: int) -> Words:
    """Says for each day whether there was activity in the days up to it.

    Args:
        words: Words of days, one row per word.
        days: How many days, the day itself included.

    Returns:
        Words of the same shape.

    Examples:
        >>> trailing(np.array([[1 << 63], [0]], np.uint64), 3).tolist() == [[1 << 63], [3]]
        True
    """
    covered, result = 1, words
    while covered < days:
        step = min(covered, days - covered)
        result = result | delayed(result, step)
        covered += step
    return result


def until_last(words: Words) -> Words:
    """Fills every bit up to the last one of each person.

    Args:
        words: One row per word.

    Returns:
        Words of the same shape.

    Examples:
        >>> until_last(np.array([[1], [4]], np.uint64)).tolist() == [[2**64 - 1], [7]]
        True
    """
    result = words.copy()
    later = np.zeros(words.shape[1], np.bool_)
    for number in range(len(words) - 1, -1, -1):
        row = result[number]
        for bits in (1, 2, 4, 8, 16, 32):
            row |= row >> np.uint64(bits)
        row[later] = np.iinfo(np.uint64).max
        later |= row != 0
    return result


def column_counts(words: Words, starts: npt.NDArray[np.integer] | None = None) -> npt.NDArray[np.int64]:
    """Counts persons by bit.

    Eight bits, one of each byte, are counted at once: 255 persons cannot overflow a byte.

    Args:
        words: One row per word, one column per person.
        starts: First column of each group of persons, ascending, from 0 on; None makes them one group. A group may
            be empty.

    Returns:
        One row per group, one column per bit.

    Examples:
        >>> column_counts(np.array([[5, 1, 4]], np.uint64), np.array([0, 2]))[:, :3].tolist()
        [[2, 0, 1], [0, 0, 1]]
    """
    people = words.shape[1]
    begins = np.array([0]) if starts is None else np.asarray(starts, np.int64)
    counts = np.zeros((len(begins), len(words) * BITS), np.int64)
    ends = np.append(begins[1:], people)
    filled = np.flatnonzero(ends > begins)
    if not len(filled):
        return counts
    cuts, owner = _short_runs(begins[filled], ends[filled])
    for number, row in enumerate(words):
        for bit in range(8):
            lanes = np.add.reduceat((row >> np.uint64(bit)) & _LANES, cuts)
            by_byte = lanes.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
            columns = number * BITS + bit + 8 * np.arange(8)
            counts[filled[:, None], columns] = np.add.reduceat(by_byte, owner, axis=0, dtype=np.int64)
    return counts


def _short_runs(
    begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cuts groups into runs that a byte can count; returns where runs begin, and the first run of each group."""
    runs = -(-(ends - begins) // _MOST_IN_A_LANE)
    owner = np.concatenate(([0], np.cumsum(runs)[:-1]))
    within = np.arange(int(runs.sum())) - np.repeat(owner, runs)
    return np.repeat(begins, runs) + within * _MOST_IN_A_LANE, owner
