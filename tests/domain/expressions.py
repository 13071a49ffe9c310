"""Random cron expressions for the tests that compare with oracles."""

from __future__ import annotations

from random import Random

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def vixie(random: Random) -> str:
    """Five fields as Debian's cron reads them."""
    return " ".join(_field(random, low, high, 0.35 if high > 23 else 0.45) for low, high in _RANGES)


def often(random: Random) -> str:
    """Five fields that match on most days, and in some hours: for windows of a few hours."""
    minute, hour = _field(random, 0, 59, 0.2), _field(random, 0, 23, 0.4)
    if hour[0] != "*":
        hour += f",{random.randrange(0, 5)},{random.choice(('0-4', '1-3', '22-23', '2-2'))}"
    rest = random.choices(("* * *", "*/2 * *", "* * 0-3", "* 1-11 6,0", "1-20 * mon", "* * */3"), (10, 1, 1, 1, 1, 1))
    return f"{minute} {hour} {rest[0]}"


def _field(random: Random, low: int, high: int, stars: float) -> str:
    if random.random() < stars:
        return "*"
    if random.random() < 0.25:
        return f"*/{random.randint(1, high)}"
    return ",".join(_element(random, low, high) for _ in range(random.choice((1, 1, 1, 2, 3))))


def _element(random: Random, low: int, high: int) -> str:
    first, last = sorted(random.randint(low, high) for _ in range(2))
    match random.randrange(4):
        case 0 if first < last:
            return f"{first}-{last}"
        case 1 if first < last:
            return f"{first}-{last}/{random.randint(1, high)}"
    return str(first)
