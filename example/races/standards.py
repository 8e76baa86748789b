"""The qualifying times of the Boston Marathon."""

from __future__ import annotations

from datetime import timedelta

from example.races.models import Gender, QualifyingStandard

YEAR = 2014
SOURCE = "Boston Athletic Association, qualifying standards for the races of 2013 to 2019"

# The first age of each group, and the men's time in hours and minutes; women have half an hour more.
_MEN = (
    (18, 3, 5),
    (35, 3, 10),
    (40, 3, 15),
    (45, 3, 25),
    (50, 3, 30),
    (55, 3, 40),
    (60, 3, 55),
    (65, 4, 10),
    (70, 4, 25),
    (75, 4, 40),
    (80, 4, 55),
)
_WOMEN_MORE = timedelta(minutes=30)


def load_standards() -> list[QualifyingStandard]:
    """Add the standards that are missing, leave the others as they are, and return all of the year."""
    last_ages = [*(age - 1 for age, _, _ in _MEN[1:]), None]
    QualifyingStandard.objects.bulk_create(
        [
            QualifyingStandard(
                year=YEAR,
                gender=gender,
                age_from=age_from,
                age_to=age_to,
                limit=timedelta(hours=hours, minutes=minutes) + more,
                source=SOURCE,
            )
            for gender, more in ((Gender.MEN, timedelta(0)), (Gender.WOMEN, _WOMEN_MORE))
            for (age_from, hours, minutes), age_to in zip(_MEN, last_ages, strict=True)
        ],
        ignore_conflicts=True,
    )
    return list(QualifyingStandard.objects.filter(year=YEAR).order_by("gender", "age_from"))


def standard_for(standards: list[QualifyingStandard], gender: str, age: int) -> QualifyingStandard | None:
    """Return the standard of a runner, or None where there is none for that age."""
    for standard in standards:
        if (
            standard.gender == gender
            and standard.age_from <= age
            and (standard.age_to is None or age <= standard.age_to)
        ):
            return standard
    return None
