"""The whole demo on the sample that comes along, with fewer steps: the CER must fall."""

import json

import pytest

from ocrtune import cli
from ocrtune.families import tiny

pytestmark = pytest.mark.skipif(
    not (cli.SAMPLE.is_file() and (tiny.FOLDER / "config.json").is_file()),
    reason="the embedded model or the sample is not in ocrtune/assets yet",
)


def test_the_demo_reads_better_afterwards(capsys, tmp_path):
    code = cli.main(["demo", "--output", str(tmp_path), "--steps", "20"])
    out, err = capsys.readouterr()
    assert code == 0, err
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    base, tuned = report["base"], report["tuned"]
    assert tuned["cer"] < 0.8 * base["cer"], out
    assert report["difference"]["better"] > report["difference"]["worse"]
    assert report["split"] == "test"
    assert "base model" in out
    assert "tuned model" in out
    assert str(tmp_path / "report" / "report.html") in out
    assert out.count("before ") == out.count("after ") == cli.SHOWN_READINGS
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").is_file()
