"""What is typed for rankings, learning curves and label checks becomes the right settings."""

import json

import pytest

from ocrtune.arguments import make_config, make_parser
from ocrtune.checkpoints import describe_identity, refuse_other_run
from ocrtune.config import CompareConfig, LearnConfig, SuspectsConfig, TrainConfig
from ocrtune.errors import ConfigError
from ocrtune.records import OcrContract


def typed(text):
    return make_config(make_parser().parse_args(text.split()))


def test_adapters_checkpoints_and_texts_may_be_repeated():
    config = typed(
        "compare --data d --output o --adapter a --adapter b --adapter c --checkpoint r "
        "--texts one=x.csv --texts two=folder/a=b --leave-out-seen"
    )
    assert (config.adapter, config.adapters) == ("a", ("b", "c"))
    assert config.all_adapters == ("a", "b", "c")
    assert config.checkpoints == ("r",)
    assert config.other_texts == {"one": "x.csv", "two": "folder/a=b"}
    assert config.leave_out_seen == "all"
    assert typed("compare --data d --output o --adapter a").leave_out_seen == "no"
    assert typed("compare --data d --output o --adapter a --leave-out-seen pictures")


def test_the_settings_survive_the_file_that_a_job_reads(tmp_path):
    for config in (
        CompareConfig(data="d", adapter="a", adapters=("b",), texts=("x=y",), output="o"),
        LearnConfig(data="d", output="o", fractions=(1, 0.5)),
        SuspectsConfig(data="d", adapter="a", output="o", lines=0),
    ):
        config.save(tmp_path / "config.json")
        assert type(config).load(tmp_path / "config.json") == config


def test_a_job_of_an_older_version_still_runs(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"data": "d", "adapter": "a", "output": "o"}))
    assert CompareConfig.load(tmp_path / "config.json").adapters == ()


@pytest.mark.parametrize("one", ["x.csv", "=x.csv", "x="])
def test_texts_need_a_name(one):
    with pytest.raises(ConfigError, match="whose texts"):
        CompareConfig(data="d", adapter="a", output="o", texts=(one,))


def test_learn_takes_the_options_of_train_and_makes_a_run_of_each_share():
    config = typed("learn --data d --output o --fractions 1 0.1 --preset quick --early-stop 3")
    assert isinstance(config, LearnConfig)
    assert config.fractions == (0.1, 1.0)
    run = config.run(0.1)
    assert type(run) is TrainConfig
    assert (run.steps, run.early_stop, run.fraction, run.output) == (30, 3, 0.1, "o/0.1")
    assert typed("train --data d --output o --fraction 0.5").fraction == 0.5


def test_suspects_reads_some_lines_or_all():
    assert typed("suspects --data d --adapter a --output o").lines == 200
    assert typed("suspects --data d --adapter a --output o --all").lines == 0
    with pytest.raises(SystemExit):
        typed("suspects --data d --adapter a --output o --all --lines 5")


@pytest.mark.parametrize("fraction", [0, -1, 1.5])
def test_an_impossible_share_is_refused(fraction):
    with pytest.raises(ConfigError, match="`fraction` is"):
        TrainConfig(data="d", output="o", fraction=fraction)


def test_a_checkpoint_of_an_older_version_can_be_resumed():
    """It knows nothing of early stop and shares; the digest of the data tells shares apart."""
    contract = OcrContract(
        family="tiny",
        base_model="tiny",
        revision="r",
        prompt="",
        layout="",
        max_new_tokens=1,
        no_repeat_ngram=0,
        ngram_window=0,
    )
    ours = describe_identity(TrainConfig(data="d", output="o", early_stop=2), contract, [])
    assert "early_stop" not in ours["settings"]
    refuse_other_run(describe_identity(TrainConfig(data="d", output="o"), contract, []), ours)


def test_names_stand_for_all_adapters_and_checkpoints_or_for_none():
    both = {"adapter": "a", "adapters": ("b",), "checkpoints": ("r",)}
    config = CompareConfig(data="d", output="o", names=["x", "y", "z"], **both)
    assert config.names == ("x", "y", "z")
    with pytest.raises(ConfigError, match="2 `names` were given for 3"):
        CompareConfig(data="d", output="o", names=("x", "y"), **both)
