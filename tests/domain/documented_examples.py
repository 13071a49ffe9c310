"""What the documentation of other schedulers says of its examples, to hold ours against. Every example is here.

``VIXIE``: Paul Vixie's ``crontab.5`` (github vixie/cron, 9cc8ab1). ``DEBIAN``: crontab(5) of cron 3.0pl1-162.
``CRONIE``: ``man/crontab.5`` of cronie. ``SYSTEMD_CRON``: crontab(5) of Debian's systemd-cron. ``FREEBSD``: crontab(5).
``QUARTZ``: javadoc of ``CronTrigger``, ``CronExpression``, and ``CronTriggerExample`` of 2.5; ``TUTORIAL``: its page
"CronTrigger Tutorial". ``SYSTEMD``: systemd.time(7), systemd 252. Numbers are lines of these texts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

Day = Callable[[date], bool]


class Example(NamedTuple):
    """``printed`` there, ``ours`` the same in our words; on the days of ``day`` at ``times`` by the words there."""

    source: str
    printed: str
    ours: str
    day: Day
    times: tuple[str, ...]


class Refused(NamedTuple):
    """``printed`` there and not taken here; the message or its hint has ``words``."""

    source: str
    printed: str
    words: str


def every(_day: date) -> bool:
    return True


def on(*names: str) -> Day:
    return lambda day: f"{day:%a}" in names


def of_month(*numbers: int) -> Day:
    return lambda day: day.day in numbers


def yearly(month: int, number: int) -> Day:
    return lambda day: (day.month, day.day) == (month, number)


def last(back: int = 0) -> Day:
    """The day that is ``back`` days before the last of its month."""
    return lambda day: (day + timedelta(days=back)).month == day.month != (day + timedelta(days=back + 1)).month


def nth(name: str, number: int) -> Day:
    return lambda day: f"{day:%a}" == name and (day.day - 1) // 7 + 1 == number


def last_of(name: str) -> Day:
    return lambda day: f"{day:%a}" == name and (day + timedelta(days=7)).month != day.month


def working(day: date) -> bool:
    return day.isoweekday() <= 5


def nearest(number: int) -> Day:
    """A Saturday is moved to Friday and a Sunday to Monday, but never to another month."""

    def matches(day: date) -> bool:
        wanted = day.replace(day=number)
        moved = wanted + timedelta(days={6: -1, 7: 1}.get(wanted.isoweekday(), 0))
        if moved.month != wanted.month:
            moved = wanted + timedelta(days=2 if number == 1 else -2)
        return day == moved

    return matches


def last_working(day: date) -> bool:
    later = (day + timedelta(days=n) for n in range(1, 4))
    return working(day) and not any(other.month == day.month and working(other) for other in later)


def both(*days: Day) -> Day:
    return lambda day: all(matches(day) for matches in days)


def either(*days: Day) -> Day:
    return lambda day: any(matches(day) for matches in days)


def months(*numbers: int) -> Day:
    return lambda day: day.month in numbers


def clock(
    hours: range | tuple[int, ...], minutes: range | tuple[int, ...], seconds: tuple[int, ...] = (0,)
) -> tuple[str, ...]:
    return tuple(f"{hour:02}:{minute:02}:{second:02}" for hour in hours for minute in minutes for second in seconds)


HOURS, MINUTES = range(24), range(60)
EVEN = tuple(range(0, 24, 2))
MIDNIGHT = clock((0,), (0,))
WORKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")


def same(source: str, printed: str, day: Day, times: tuple[str, ...]) -> Example:
    return Example(source, printed, printed, day, times)


CRON = (
    same("VIXIE 158, DEBIAN 158, CRONIE 281", "5 0 * * *", every, clock((0,), (5,))),
    same("VIXIE 160, DEBIAN 160, CRONIE 283", "15 14 1 * *", of_month(1), clock((14,), (15,))),
    same("VIXIE 162, DEBIAN 162, CRONIE 285", "0 22 * * 1-5", on(*WORKDAYS), clock((22,), (0,))),
    same("VIXIE 163, DEBIAN 163, CRONIE 286", "23 0-23/2 * * *", every, clock(EVEN, (23,))),
    same("VIXIE 164, DEBIAN 164, CRONIE 287", "5 4 * * sun", on("Sun"), clock((4,), (5,))),
    same("VIXIE 144, DEBIAN 146, CRONIE 266", "30 4 1,15 * 5", either(of_month(1, 15), on("Fri")), clock((4,), (30,))),
    same("DEBIAN 166", "33 22 * * *", every, clock((22,), (33,))),
    same("VIXIE 110: 8-11 for hours", "0 8-11 * * *", every, clock((8, 9, 10, 11), (0,))),
    same("VIXIE 114: 1,2,5,9", "1,2,5,9 * * * *", every, clock(HOURS, (1, 2, 5, 9))),
    same("VIXIE 114: 0-4,8-12", "0-4,8-12 * * * *", every, clock(HOURS, (0, 1, 2, 3, 4, 8, 9, 10, 11, 12))),
    same("VIXIE 118: 0-23/2 for hours", "0 0-23/2 * * *", every, clock(EVEN, (0,))),
    same("VIXIE 120: the alternative in V7", "0 0,2,4,6,8,10,12,14,16,18,20,22 * * *", every, clock(EVEN, (0,))),
    same("VIXIE 121: every two hours", "0 */2 * * *", every, clock(EVEN, (0,))),
    same("VIXIE 172: 1-3,7-9", "0 1-3,7-9 * * *", every, clock((1, 2, 3, 7, 8, 9), (0,))),
    same("VIXIE 175: 1-9/2", "0 1-9/2 * * *", every, clock((1, 3, 5, 7, 9), (0,))),
    same("VIXIE 169: 0 is Sunday", "0 0 * * 0", on("Sun"), MIDNIGHT),
    same("VIXIE 169: 7 is Sunday", "0 0 * * 7", on("Sun"), MIDNIGHT),
    same("CRONIE 238: */23 for hours", "0 */23 * * *", every, clock((0, 23), (0,))),
    same("CRONIE 244: mon,wed,fri", "0 0 * * mon,wed,fri", on("Mon", "Wed", "Fri"), MIDNIGHT),
    same("CRONIE 245: jan-mar", "0 0 1 jan-mar *", both(of_month(1), months(1, 2, 3)), MIDNIGHT),
    same("CRONIE 302", "* * * * *", every, clock(HOURS, MINUTES)),
    same("CRONIE 306: */35 for minutes", "*/35 * * * *", every, clock(HOURS, (0, 35))),
    same("CRONIE 341", "0-59 * * * *", every, clock(HOURS, MINUTES)),
    same("CRONIE 312", "0 * * * *", every, clock(HOURS, (0,))),
    same("SYSTEMD_CRON 286", "0 4 8-14 * *", of_month(*range(8, 15)), clock((4,), (0,))),
    same("SYSTEMD_CRON 304", "17 * * * *", every, clock(HOURS, (17,))),
    same("SYSTEMD_CRON 305", "25 6 * * *", every, clock((6,), (25,))),
    same("SYSTEMD_CRON 306", "47 6 * * 7", on("Sun"), clock((6,), (47,))),
    same("SYSTEMD_CRON 307", "52 6 1 * *", of_month(1), clock((6,), (52,))),
    same("CRONIE 360, SYSTEMD_CRON 245", "@yearly", yearly(1, 1), MIDNIGHT),
    same("CRONIE 361, SYSTEMD_CRON 247", "@annually", yearly(1, 1), MIDNIGHT),
    same("CRONIE 362, SYSTEMD_CRON 249", "@monthly", of_month(1), MIDNIGHT),
    same("CRONIE 363, SYSTEMD_CRON 251", "@weekly", on("Sun"), MIDNIGHT),
    same("CRONIE 364, SYSTEMD_CRON 253", "@daily", every, MIDNIGHT),
    same("SYSTEMD_CRON 255", "@midnight", every, MIDNIGHT),
    same("CRONIE 365, SYSTEMD_CRON 257", "@hourly", every, clock(HOURS, (0,))),
    Example("VIXIE 148: $ for days", "0 0 $ * *", "0 0 L * *", last(), MIDNIGHT),
    Example("FREEBSD: @every_minute", "@every_minute", "every 1m", every, clock(HOURS, MINUTES)),
    Example("FREEBSD: @every_second", "@every_second", "every 1s", every, clock(HOURS, MINUTES, tuple(MINUTES))),
)
QUARTZ = (
    same("CronTrigger 50, TUTORIAL", "0 0 12 * * ?", every, clock((12,), (0,))),
    same("CronTrigger 55", "0 15 10 ? * *", every, clock((10,), (15,))),
    same("CronTrigger 60", "0 15 10 * * ?", every, clock((10,), (15,))),
    same("CronTrigger 76", "0 * 14 * * ?", every, clock((14,), MINUTES)),
    same("CronTrigger 82", "0 0/5 14 * * ?", every, clock((14,), range(0, 60, 5))),
    same("CronTrigger 87", "0 0/5 14,18 * * ?", every, clock((14, 18), range(0, 60, 5))),
    same("CronTrigger 94", "0 0-5 14 * * ?", every, clock((14,), range(6))),
    same("CronTrigger 100", "0 10,44 14 ? 3 WED", both(on("Wed"), months(3)), clock((14,), (10, 44))),
    same("CronTrigger 106", "0 15 10 ? * MON-FRI", on(*WORKDAYS), clock((10,), (15,))),
    same("CronTrigger 111", "0 15 10 15 * ?", of_month(15), clock((10,), (15,))),
    same("CronTrigger 117", "0 15 10 L * ?", last(), clock((10,), (15,))),
    Example("CronTrigger 124", "0 15 10 ? * 6L", "0 15 10 ? * 5L", last_of("Fri"), clock((10,), (15,))),
    Example("CronTrigger 141", "0 15 10 ? * 6#3", "0 15 10 ? * 5#3", nth("Fri", 3), clock((10,), (15,))),
    Example("CronTrigger 65", "0 15 10 * * ? *", "0 15 10 * * ?", every, clock((10,), (15,))),
    same("TUTORIAL: by what it does", "0 15 10 L-2 * ?", last(2), clock((10,), (15,))),
    same("TUTORIAL", "0 0 12 1/5 * ?", of_month(1, 6, 11, 16, 21, 26, 31), clock((12,), (0,))),
    same("TUTORIAL", "0 11 11 11 11 ?", yearly(11, 11), clock((11,), (11,))),
    same("CronExpression 112: 10-12 for hours", "0 0 10-12 * * ?", every, clock((10, 11, 12), (0,))),
    same("CronExpression 115", "0 0 0 ? * MON,WED,FRI", on("Mon", "Wed", "Fri"), MIDNIGHT),
    same("CronExpression 120: 0/15 for seconds", "0/15 * * * * ?", every, clock(HOURS, MINUTES, (0, 15, 30, 45))),
    same("CronExpression 122: 5/15 for seconds", "5/15 * * * * ?", every, clock(HOURS, MINUTES, (5, 20, 35, 50))),
    same("CronExpression 128: 7/6 for months", "0 0 0 1 7/6 ?", yearly(7, 1), MIDNIGHT),
    same("CronExpression 142: by what it does", "0 0 0 L-3 * ?", last(3), MIDNIGHT),
    same("CronExpression 150", "0 0 0 15W * ?", nearest(15), MIDNIGHT),
    same("CronExpression 154", "0 0 0 1W * ?", nearest(1), MIDNIGHT),
    same("CronExpression 161", "0 0 0 LW * ?", last_working, MIDNIGHT),
    Example("CronExpression 140", "0 0 0 ? * 6L", "0 0 0 ? * FRIL", last_of("Fri"), MIDNIGHT),
    Example("CronExpression 167", "0 0 0 ? * 6#3", "0 0 0 ? * FRI#3", nth("Fri", 3), MIDNIGHT),
    Example("CronExpression 169", "0 0 0 ? * 2#1", "0 0 0 ? * MON#1", nth("Mon", 1), MIDNIGHT),
    Example("CronExpression 170", "0 0 0 ? * 4#5", "0 0 0 ? * WED#5", nth("Wed", 5), MIDNIGHT),
    Example("CronExpression 138: L is SAT", "0 0 0 ? * L", "0 0 0 ? * SAT", on("Sat"), MIDNIGHT),
    Example("CronExpression 195", "0 0 22-2 * * ?", "0 0 22,23,0,1,2 * * ?", every, clock((22, 23, 0, 1, 2), (0,))),
    Example(
        "CronExpression 196",
        "0 0 0 1 NOV-FEB ?",
        "0 0 0 1 nov,dec,jan,feb ?",
        both(of_month(1), months(11, 12, 1, 2)),
        MIDNIGHT,
    ),
    same("CronTriggerExample 61", "0/20 * * * * ?", every, clock(HOURS, MINUTES, (0, 20, 40))),
    same("CronTriggerExample 71", "15 0/2 * * * ?", every, clock(HOURS, range(0, 60, 2), (15,))),
    same("CronTriggerExample 80", "0 0/2 8-17 * * ?", every, clock(range(8, 18), range(0, 60, 2))),
    same("CronTriggerExample 89", "0 0/3 17-23 * * ?", every, clock(range(17, 24), range(0, 60, 3))),
    Example("CronTriggerExample 98", "0 0 10am 1,15 * ?", "0 0 10 1,15 * ?", of_month(1, 15), clock((10,), (0,))),
    same("CronTriggerExample 107", "0,30 * * ? * MON-FRI", on(*WORKDAYS), clock(HOURS, MINUTES, (0, 30))),
    same("CronTriggerExample 117", "0,30 * * ? * SAT,SUN", on("Sat", "Sun"), clock(HOURS, MINUTES, (0, 30))),
    same("tutorial, lesson 6, 1", "0 0/5 * * * ?", every, clock(HOURS, range(0, 60, 5))),
    same("tutorial, lesson 6, 2", "10 0/5 * * * ?", every, clock(HOURS, range(0, 60, 5), (10,))),
    same("tutorial, lesson 6, 3", "0 30 10-13 ? * WED,FRI", on("Wed", "Fri"), clock(range(10, 14), (30,))),
    same("tutorial, lesson 6, 4", "0 0/30 8-9 5,20 * ?", of_month(5, 20), clock((8, 9), (0, 30))),
    same("tutorial, lesson 6: every Wednesday at noon", "0 0 12 ? * WED", on("Wed"), clock((12,), (0,))),
)
SYSTEMD = (
    same("SYSTEMD: minutely", "minutely", every, clock(HOURS, MINUTES)),
    same("SYSTEMD: hourly", "hourly", every, clock(HOURS, (0,))),
    same("SYSTEMD: daily", "daily", every, MIDNIGHT),
    same("SYSTEMD: monthly", "monthly", of_month(1), MIDNIGHT),
    same("SYSTEMD: weekly", "weekly", on("Mon"), MIDNIGHT),
    same("SYSTEMD: yearly", "yearly", yearly(1, 1), MIDNIGHT),
    same("SYSTEMD: annually", "annually", yearly(1, 1), MIDNIGHT),
    same("SYSTEMD: quarterly", "quarterly", both(of_month(1), months(1, 4, 7, 10)), MIDNIGHT),
    same("SYSTEMD: semiannually", "semiannually", both(of_month(1), months(1, 7)), MIDNIGHT),
    same("SYSTEMD: third last day in February", "*-02~03", both(last(2), months(2)), MIDNIGHT),
    same("SYSTEMD: last Monday in May", "Mon *-05~07/1", both(last_of("Mon"), months(5)), MIDNIGHT),
    same("SYSTEMD", "Sat,Thu,Mon..Wed,Sat..Sun", on("Mon", "Tue", "Wed", "Thu", "Sat", "Sun"), MIDNIGHT),
    same("SYSTEMD", "Wed, 17:48", on("Wed"), clock((17,), (48,))),
    same("SYSTEMD", "*-*-7 0:0:0", of_month(7), MIDNIGHT),
    same("SYSTEMD", "10-15", yearly(10, 15), MIDNIGHT),
    same("SYSTEMD", "monday *-12-* 17:00", both(on("Mon"), months(12)), clock((17,), (0,))),
    same("SYSTEMD", "12,14,13,12:20,10,30", every, clock((12, 13, 14), (10, 20, 30))),
    same("SYSTEMD", "12..14:10,20,30", every, clock((12, 13, 14), (10, 20, 30))),
    same("SYSTEMD", "03-05 08:05:40", yearly(3, 5), ("08:05:40",)),
    same("SYSTEMD", "08:05:40", every, ("08:05:40",)),
    same("SYSTEMD", "05:40", every, ("05:40:00",)),
    same("SYSTEMD", "Sat,Sun 08:05:40", on("Sat", "Sun"), ("08:05:40",)),
    same("SYSTEMD", "03-05", yearly(3, 5), MIDNIGHT),
    same("SYSTEMD", "*:2/3", every, clock(HOURS, range(2, 60, 3))),
    same("SYSTEMD", "daily UTC", every, MIDNIGHT),
    same("SYSTEMD: in its zone", "weekly Pacific/Auckland", on("Mon"), MIDNIGHT),
)
SYSTEMD_YEARS = {
    "Mon,Sun 12-*-* 2,1:23": {"cron": "23 2,1 * * mon,sun", "start": "2012-01-01", "end": "2012-12-31"},
    "2003-02..04-05": {"cron": "0 0 5 2-4 *", "start": "2003-01-01", "end": "2003-12-31"},
    "2003-03-05 05:40": {"at": "2003-03-05T05:40:00"},
    "2003-03-05 05:40 UTC": {"at": "2003-03-05T05:40:00", "timezone": "UTC"},
    "2003-03-05": {"at": "2003-03-05T00:00:00"},
}
"""Those of past years."""

REFUSED = (
    Refused("CRONIE 222", "6~15 * * * *", "write 'H(6-15)'"),
    Refused("CRONIE 225", "~ * * * *", "write 'H'"),
    Refused("VIXIE 148", "0 0 $ * *", "write 'L'"),
    Refused("CRONIE 359, SYSTEMD_CRON 243", "@reboot", "from a unit of the system"),
    Refused("DEBIAN 100: days 0-31", "0 0 0 * *", "there is no day '0'"),
    Refused("VIXIE 101: months 0-12", "0 0 1 0 *", "there is no month '0'"),
    Refused("FREEBSD", "@every_minute", "write 'every 1m'"),
    Refused("FREEBSD", "@every_second", "write 'every 1s'"),
    Refused("FREEBSD", "@600", "write 'every 600s'"),
    Refused("CronTrigger 65", "0 15 10 * * ? *", "no field for years"),
    Refused("CronTrigger 70", "0 15 10 * * ? 2005", "no field for years (use start and end)"),
    Refused("CronTrigger 134", "0 15 10 ? * 6L 2002-2005", "no field for years (use start and end)"),
    Refused("TUTORIAL", "0/5 14,18,3-39,52 * ? JAN,MAR,SEP MON-FRI 2002-2010", "no field for years"),
    Refused("CronTriggerExample 98", "0 0 10am 1,15 * ?", "hours go from 0 to 23"),
    Refused("CronExpression 138", "0 0 0 ? * L", "write 'sat'"),
    Refused("CronExpression 178: C, not supported there, too", "0 0 0 5C * ?", "values go from 1 to 31"),
    Refused("CronExpression 200", "0 0 14-6 ? * FRI-MON", "write '14-23,0-6'"),
    Refused("CronExpression 195", "0 0 22-2 * * ?", "write '22,23,0,1,2'"),
    Refused("CronExpression 196", "0 0 0 1 NOV-FEB ?", "write 'nov,dec,jan,feb'"),
)
SYSTEMD_REFUSED = (
    Refused("SYSTEMD", "Thu,Fri 2012-*-1,5 11:12:13", "both its weekday and its day must match"),
    Refused("SYSTEMD", "Wed *-1", "both its weekday and its day must match"),
    Refused("SYSTEMD", "Wed..Wed,Wed *-1", "both its weekday and its day must match"),
    Refused("SYSTEMD", "Wed..Sat,Tue 12-10-15 1:2:3", "both its weekday and its day must match"),
    Refused("SYSTEMD", "Mon,Fri *-*-3,1,2 *:30:45", "both its weekday and its day must match"),
    Refused("SYSTEMD", "mon,fri *-1/2-1,3 *:30:45", "both its weekday and its day must match"),
    Refused("SYSTEMD", "Sat,Sun 12-05 08:05:40", "both its weekday and its day must match"),
    Refused("SYSTEMD", "05:40:23.4200004/3.1700005", "parts of a second"),
)
