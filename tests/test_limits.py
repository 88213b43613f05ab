"""Limits hold on the shared Space only, and come from its configuration."""

import pytest

from ocrtune.errors import ConfigError
from ocrtune.limits import USUAL, Limits

SPACE = {"SPACE_ID": "us/ocrtune", "OCRTUNE_SHARED_SPACE": "us/ocrtune"}


@pytest.mark.parametrize("environment", [{}, {"SPACE_ID": "me/copy"}, SPACE | {"SPACE_ID": "me/x"}])
def test_ones_own_machine_and_a_duplicate_have_no_limits(environment):
    given = {"OCRTUNE_MAX_STEPS": "10"}  # a duplicate gets the variables of the original
    assert Limits.from_environment(environment | given) == Limits()


def test_a_shared_space_has_usual_limits_and_each_can_be_set():
    assert Limits.from_environment(SPACE) == USUAL
    given = Limits.from_environment(SPACE | {"OCRTUNE_MAX_STEPS": "50", "OCRTUNE_MAX_MINUTES": "0"})
    assert (given.max_steps, given.max_minutes, given.max_jobs) == (50, 0, USUAL.max_jobs)
    assert Limits.from_environment({"OCRTUNE_SHARED_SPACE": "yes"}) == USUAL


def test_a_limit_that_is_no_number_is_named():
    with pytest.raises(ConfigError, match="OCRTUNE_MAX_STEPS.*many.*whole number"):
        Limits.from_environment(SPACE | {"OCRTUNE_MAX_STEPS": "many"})
