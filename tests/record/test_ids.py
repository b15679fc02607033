from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from vivant.record.ids import new_id, time_of_id


def test_ids_sort_by_the_order_in_which_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_an_id_is_a_uuid_of_version_7_and_knows_when_it_was_made() -> None:
    identifier = new_id()
    parsed = uuid.UUID(identifier)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    moment = time_of_id(identifier)
    assert moment is not None and abs(moment - datetime.now(UTC)) < timedelta(seconds=5)


def test_other_ids_have_no_time() -> None:
    assert [time_of_id(name) for name in ("", "in", "..", str(uuid.uuid4()), new_id().upper())] == [None] * 5


def test_the_last_62_bits_are_random() -> None:
    tails = {uuid.UUID(new_id()).int & (2**62 - 1) for _ in range(1000)}
    assert len(tails) == 1000
    ones = sum(tail.bit_count() for tail in tails) / 1000
    assert 29 < ones < 33
