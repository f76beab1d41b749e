"""ISO-8601 texts -> microseconds UTC, a whole list at once, in compiled code. Plain forms only.

`datetime.fromisoformat` is the definition and reads everything else: this reader takes the form that JSON
writers use and says so when a text has another.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.compiled import compiled

Int64Array = npt.NDArray[np.int64]

NOT_PLAIN = -(2**63)
LINE_END, MINUS, DOT, COLON, PLUS, ZULU, TEE, SPACE = (ord(each) for each in "\n-.:+ZT ")
MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)


def plain_instants(texts: Sequence[str]) -> Int64Array | None:
    """Return int64 (n,) microseconds UTC when every text is plain, else None.

    Plain is YYYY-MM-DD, T or a blank, HH:MM, optionally :SS and a fraction of three or six digits, and Z or
    an offset +HH:MM: a part of RFC 3339 5.6, with years 0001 to 9999.
    """
    if not texts:
        return np.empty(0, np.int64)
    buffer = np.frombuffer(("\n".join(texts) + "\n").encode("utf-8", "replace"), dtype=np.uint8)
    found = np.empty(len(texts), np.int64)
    return found if _read_all(buffer, found) else None


@compiled
def _read_all(buffer: npt.NDArray[np.uint8], found: Int64Array) -> bool:
    start, count = 0, 0
    for end in range(buffer.size):
        if buffer[end] != LINE_END:
            continue
        instant = _read_one(buffer[start:end])
        if instant == NOT_PLAIN or count == found.size:
            return False
        found[count] = instant
        start, count = end + 1, count + 1
    return count == found.size


@compiled
def _read_one(text: npt.NDArray[np.uint8]) -> int:
    if text.size < len("2026-11-23T09:00Z") or text[4] != MINUS or text[7] != MINUS or text[13] != COLON:
        return NOT_PLAIN
    year, month, day = _number(text, 0, 4), _number(text, 5, 2), _number(text, 8, 2)
    hour, minute = _number(text, 11, 2), _number(text, 14, 2)
    second, microsecond, place = 0, 0, 16
    if text[place] == COLON:
        if text.size < len("2026-11-23T09:00:00Z"):
            return NOT_PLAIN
        second, place = _number(text, 17, 2), 19
        if text[place] == DOT:
            digits = 0
            while place + 1 + digits < text.size and _is_digit(text[place + 1 + digits]):
                digits += 1
            if digits != 3 and digits != 6:
                return NOT_PLAIN
            microsecond = _number(text, place + 1, digits) * (1000 if digits == 3 else 1)
            place += 1 + digits
    offset_minutes = _offset(text, place)
    is_real = year >= 1 and 1 <= month <= 12 and day >= 1 and 0 <= hour <= 23 and 0 <= minute <= 59
    if not is_real or not 0 <= second <= 59 or offset_minutes == NOT_PLAIN:
        return NOT_PLAIN
    if (text[10] != TEE and text[10] != SPACE) or day > _days_of_month(year, month):
        return NOT_PLAIN
    minutes = (_days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset_minutes
    return (minutes * 60 + second) * 1_000_000 + microsecond


@compiled
def _offset(text: npt.NDArray[np.uint8], place: int) -> int:
    """Return the minutes east of UTC that end a text."""
    rest = text.size - place
    if rest == 1 and text[place] == ZULU:
        return 0
    if rest != len("+01:00") or text[place + 3] != COLON or (text[place] != PLUS and text[place] != MINUS):
        return NOT_PLAIN
    hours, minutes = _number(text, place + 1, 2), _number(text, place + 4, 2)
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return NOT_PLAIN
    return (hours * 60 + minutes) * (1 if text[place] == PLUS else -1)


@compiled
def _number(text: npt.NDArray[np.uint8], start: int, digits: int) -> int:
    """Return a number of so many digits, -1 when one of them is none."""
    number = 0
    for place in range(start, start + digits):
        if not _is_digit(text[place]):
            return -1
        number = number * 10 + int(text[place]) - 48
    return number


@compiled
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@compiled
def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@compiled
def _days_of_month(year: int, month: int) -> int:
    return int(MONTH_DAYS[month]) + (1 if month == 2 and _is_leap(year) else 0)


@compiled
def _days_since_1970(year: int, month: int, day: int) -> int:
    """Count days in the proleptic Gregorian calendar, with the year turned to begin in March."""
    shifted_year, shifted_month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    days_before_month = (153 * shifted_month + 2) // 5
    leap_days = shifted_year // 4 - shifted_year // 100 + shifted_year // 400
    return 365 * shifted_year + leap_days + days_before_month + day - 1 - 719_468
