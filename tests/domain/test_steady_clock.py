"""A jump of the system's clock is followed when it has lasted, and a new service waits until it trusts the clock."""

from __future__ import annotations

from datetime import UTC, datetime

from vivant.clock import SteadyClock, SystemClock, seconds_since_boot

DAYS = 86_400.0


class Machine:
    """The two clocks of a machine, moved by hand."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.since_boot = 50.0
        self.clock = SteadyClock(
            settles_after=60, follows_after=900, wall=lambda: self.wall, since_boot=lambda: self.since_boot
        )

    def wait(self, seconds: float) -> None:
        """Let time pass, and read the clock every now and then as a service does."""
        for _ in range(10):
            self.wall += seconds / 10
            self.since_boot += seconds / 10
            self.clock.now()

    def jump(self, seconds: float) -> None:
        self.wall += seconds
        self.clock.now()

    def ahead_of(self, wall: float) -> float:
        """By how many seconds the steady clock is ahead of `wall`."""
        return round(self.clock.now().timestamp() - wall, 3)


def settled_machine() -> Machine:
    machine = Machine()
    machine.wait(61)
    assert machine.clock.is_settled()
    return machine


def test_it_shows_the_time_of_the_system() -> None:
    machine = settled_machine()
    assert machine.clock.now() == datetime.fromtimestamp(machine.wall, UTC)
    real = SteadyClock(settles_after=60, follows_after=900)
    assert abs((real.now() - SystemClock().now()).total_seconds()) < 1
    assert seconds_since_boot() > 0


def test_a_new_service_decides_nothing_until_the_clocks_have_agreed_for_a_while() -> None:
    machine = Machine()
    assert not machine.clock.is_settled()
    machine.wait(59)
    assert not machine.clock.is_settled()
    machine.wait(2)
    assert machine.clock.is_settled()


def test_a_machine_that_starts_with_a_wrong_time_is_followed_when_it_is_set_right() -> None:
    machine = Machine()
    machine.wait(30)
    machine.wall -= 3 * DAYS
    assert machine.ahead_of(machine.wall) == 0
    machine.wait(40)
    assert not machine.clock.is_settled()  # it must agree for the whole time from then on
    machine.wait(30)
    assert machine.clock.is_settled()


def test_a_jump_that_does_not_last_changes_nothing() -> None:
    machine = settled_machine()
    machine.wall += 3 * DAYS
    assert machine.ahead_of(machine.wall - 3 * DAYS) == 0
    assert not machine.clock.is_settled()
    machine.wait(100)
    machine.wall -= 3 * DAYS
    assert machine.ahead_of(machine.wall) == 0
    assert machine.clock.is_settled()


def test_a_jump_that_lasts_is_followed_in_both_directions() -> None:
    for jump in (3 * DAYS, -3 * DAYS, 60.0):
        machine = settled_machine()
        machine.jump(jump)
        machine.wait(890)
        assert machine.ahead_of(machine.wall) == -jump
        assert not machine.clock.is_settled()
        machine.wait(20)
        assert machine.ahead_of(machine.wall) == 0
        assert machine.clock.is_settled()


def test_a_second_jump_starts_the_wait_again() -> None:
    machine = settled_machine()
    machine.jump(3 * DAYS)
    machine.wait(800)
    machine.jump(3 * DAYS)
    machine.wait(800)
    assert machine.ahead_of(machine.wall) == -6 * DAYS
    machine.wait(110)
    assert machine.ahead_of(machine.wall) == 0


def test_small_steps_are_followed_at_once() -> None:
    machine = settled_machine()
    for step in (0.5, -2.0, 4.0):
        machine.wall += step
        assert machine.ahead_of(machine.wall) == 0
        assert machine.clock.is_settled()


def test_a_machine_that_slept_has_not_jumped() -> None:
    machine = settled_machine()
    machine.wall += 8 * 3600  # both clocks count the sleep
    machine.since_boot += 8 * 3600
    assert machine.ahead_of(machine.wall) == 0
    assert machine.clock.is_settled()
