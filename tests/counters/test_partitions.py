"""Rows in partitions: counted whichever table a write names; what no trigger sees is found by a check."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pgtrigger
import pytest

from leaderboard.counters import check, repair
from leaderboard.testing import assert_no_drift
from tests.counters.models import Reading, Sensor
from tests.counters.rows import assert_exact, copy, settle, values
from tests.counters.sessions import execute

pytestmark = pytest.mark.django_db

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)
COUNTERS = ("reading_count", "total", "highest")


@pytest.fixture
def partitions() -> Iterator[None]:
    """Make the table of readings anew: a partition by year, of which the last has partitions itself."""
    execute("DROP TABLE counters_reading")
    execute("""
        CREATE TABLE counters_reading (id bigserial, year integer NOT NULL, value integer NOT NULL,
        sensor_id uuid REFERENCES counters_sensor ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE,
        PRIMARY KEY (id, year)) PARTITION BY LIST (year);
        CREATE TABLE reading_2024 (sensor_id uuid, value integer NOT NULL, year integer NOT NULL,
        id bigint NOT NULL DEFAULT nextval('counters_reading_id_seq'));
        ALTER TABLE counters_reading ATTACH PARTITION reading_2024 FOR VALUES IN (2024);
        CREATE TABLE reading_2025 PARTITION OF counters_reading FOR VALUES IN (2025);
        CREATE TABLE reading_2026 PARTITION OF counters_reading FOR VALUES IN (2026)
        PARTITION BY RANGE (id);
        CREATE TABLE reading_2026_a PARTITION OF reading_2026 FOR VALUES FROM (MINVALUE) TO (MAXVALUE)
    """)
    pgtrigger.install()
    Sensor.objects.bulk_create([Sensor(pk=ONE), Sensor(pk=TWO)])
    Reading.objects.bulk_create(
        [Reading(sensor_id=ONE, year=2024 + n % 3, value=n, pk=n + 1000) for n in range(6)]
    )
    assert values(*COUNTERS, model=Sensor) == [(6, 15, 5), (0, 0, None)]
    yield
    assert_exact()


def test_rows_moved_between_partitions(partitions: None) -> None:
    Reading.objects.filter(year=2024).update(year=2025, sensor_id=TWO)
    Reading.objects.filter(year=2025, value__gt=3).update(year=2026, value=10)
    assert values(*COUNTERS, model=Sensor) == [(4, 18, 10), (2, 3, 3)]


def test_writes_to_a_partition(partitions: None) -> None:
    execute("INSERT INTO reading_2024 (sensor_id, year, value) VALUES (%s, 2024, 9)", [TWO])
    copy("reading_2026_a", "id, sensor_id, year, value", [(100, TWO, 2026, 7), (101, ONE, 2026, 1)])
    execute("UPDATE reading_2025 SET sensor_id = %s, value = value + 1", [TWO])
    execute("DELETE FROM reading_2026 WHERE value = 5")
    assert values(*COUNTERS, model=Sensor) == [(4, 6, 3), (4, 23, 9)]


def test_cascade_by_the_database_to_partitions(partitions: None) -> None:
    execute("UPDATE counters_sensor SET id = %s WHERE id = %s", [uuid.UUID(int=9), ONE])
    assert values(*COUNTERS, model=Sensor) == [(0, 0, None), (6, 15, 5)]
    Reading.objects.filter(value=0).update(sensor_id=TWO)
    execute("DELETE FROM counters_sensor WHERE id = %s", [uuid.UUID(int=9)])
    assert values(*COUNTERS, model=Sensor) == [(1, 0, 0)]


def test_truncate_of_a_partition(partitions: None) -> None:
    settle()
    execute("TRUNCATE reading_2026")
    assert values(*COUNTERS, model=Sensor) == [(4, 8, 4), (0, 0, None)]
    execute("TRUNCATE reading_2024, reading_2025")
    assert values(*COUNTERS, model=Sensor) == [(0, 0, None), (0, 0, None)]


def test_truncate_of_all_partitions(partitions: None) -> None:
    settle()
    execute("TRUNCATE counters_reading")
    assert values(*COUNTERS, model=Sensor) == [(0, 0, None), (0, 0, None)]


def test_detach_is_found_and_the_detached_table_is_not_counted(partitions: None) -> None:
    settle()
    execute("ALTER TABLE counters_reading DETACH PARTITION reading_2025")
    with pytest.raises(AssertionError, match="is 6, and 4 is counted"):
        assert_no_drift(Sensor)
    repair(Sensor)
    assert values(*COUNTERS, model=Sensor) == [(4, 10, 5), (0, 0, None)]
    execute("DELETE FROM reading_2025")
    assert values(*COUNTERS, model=Sensor) == [(4, 10, 5), (0, 0, None)]


def test_attach_is_found(partitions: None) -> None:
    settle()
    execute("CREATE TABLE reading_2023 (LIKE counters_reading INCLUDING ALL)")
    execute("INSERT INTO reading_2023 (sensor_id, year, value) VALUES (%s, 2023, 50)", [TWO])
    execute("ALTER TABLE counters_reading ATTACH PARTITION reading_2023 FOR VALUES IN (2023)")
    with pytest.raises(AssertionError) as error:
        assert_no_drift(Sensor)
    assert "is 0, and 50 is counted" in str(error.value)
    assert "no trigger on reading_2023: pgtrigger_counter_insert_sensor_readings" in str(error.value)
    pgtrigger.install()
    repair(Sensor)
    assert_exact()
    execute("UPDATE reading_2023 SET value = 60")
    assert values(*COUNTERS, model=Sensor) == [(6, 15, 5), (1, 60, 60)]


def test_a_trigger_disabled_by_hand_is_found(partitions: None) -> None:
    settle()
    ((name,),) = execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'reading_2024'::regclass AND tgname ~ 'delete_sensor'"
    )
    execute(f"ALTER TABLE reading_2024 DISABLE TRIGGER {name}")
    (report,) = check(Sensor)
    assert [line.partition(":")[0] for line in report.unguarded] == ["reading_2024"]
    assert not report.wrong
    execute(f"ALTER TABLE reading_2024 ENABLE TRIGGER {name}")


def test_uninstalling_leaves_nothing_on_partitions(partitions: None) -> None:
    settle()
    pgtrigger.uninstall()
    left = "SELECT tgname FROM pg_trigger WHERE tgname ~ '^(pgtrigger|leaderboard)_' UNION ALL "
    assert execute(f"{left} SELECT proname FROM pg_proc WHERE proname ~ '_counter_.*_sensor_readings_'") == []
    pgtrigger.install()
