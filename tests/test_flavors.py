"""What a run on a machine of the Hub will cost, before anybody pays for it."""

from dataclasses import replace

import pytest
from preflights import PREFLIGHT

from ocrtune.config import TrainConfig
from ocrtune.errors import HubError
from ocrtune.flavors import (
    KNOWN,
    MOST_MINUTES,
    Flavor,
    estimate_run,
    find_flavor,
    load_flavors,
    remember_flavors,
)

CONFIG = TrainConfig(data="d", output="o", base="deepseek-ocr", steps=60)
T4, L4, H200 = (find_flavor(name, KNOWN) for name in ("t4-small", "l4x1", "h200"))


def test_a_slower_card_takes_longer_and_a_longer_run_costs_more():
    slow, fast = estimate_run(CONFIG, 400, T4), estimate_run(CONFIG, 400, H200)
    assert slow.seconds > fast.seconds
    assert estimate_run(replace(CONFIG, steps=600), 400, T4).dollars > slow.dollars
    assert slow.dollars == pytest.approx(slow.seconds / 3600 * 0.40)


def test_the_end_of_a_run_leaves_room_and_is_what_it_can_cost_at_most():
    found = estimate_run(CONFIG, 400, T4)
    assert found.limit_minutes * 60 > 2 * found.seconds
    assert found.most_dollars == pytest.approx(found.limit_minutes / 60 * 0.40)
    assert estimate_run(replace(CONFIG, steps=1_000_000), 400, T4).limit_minutes == MOST_MINUTES
    assert estimate_run(CONFIG, 400, T4, limit_minutes=45).limit_minutes == 45


def test_a_check_on_a_gpu_counts_and_one_on_a_processor_does_not():
    same, none = estimate_run(CONFIG, 998, T4, PREFLIGHT), estimate_run(CONFIG, 998, T4)
    longer = estimate_run(CONFIG, 998, T4, replace(PREFLIGHT, seconds=2 * PREFLIGHT.seconds))
    assert longer.seconds - same.seconds == pytest.approx(PREFLIGHT.seconds)
    on_cpu = replace(PREFLIGHT, hardware="2 CPU cores, x86_64")
    assert estimate_run(CONFIG, 998, T4, on_cpu) == none


def test_a_machine_is_found_by_its_name_or_refused_with_help():
    assert find_flavor("l4x1", KNOWN) == L4
    with pytest.raises(HubError, match="Did you mean `a10g-small`"):
        find_flavor("a10-small", KNOWN)
    four = replace(L4, name="l4x4", cards=4)
    with pytest.raises(HubError, match="has 4 GPUs, and a run there uses one"):
        find_flavor("l4x4", [L4, four])


def test_the_page_shows_what_the_hub_said_last_and_never_many_gpus(tmp_path):
    assert load_flavors(tmp_path) == list(KNOWN)
    dearer = replace(T4, dollars_an_hour=0.5)
    remember_flavors(tmp_path, [dearer, replace(L4, name="l4x4", cards=4)])
    assert load_flavors(tmp_path) == [dearer]
    (tmp_path / "flavors.json").write_text('{"told": 1e12, "flavors": [{"name": 1}]}')
    assert load_flavors(tmp_path) == list(KNOWN)


def test_an_unlisted_card_is_taken_for_a_slow_one():
    odd = Flavor(name="x", title="X", cards=1, card="X1", card_memory="1 GB", dollars_an_hour=1.0)
    assert estimate_run(CONFIG, 400, odd).seconds >= estimate_run(CONFIG, 400, T4).seconds
