"""A preflight for tests: DeepSeek-OCR on a T4, every field filled."""

from ocrtune.events import Preflight

PREFLIGHT = Preflight(
    samples=998,
    left_out=2,
    left_out_why="`<b>.png`: its text takes 5001 tokens.",
    unknown_characters={"ß": 3, "<": 1},
    supervised_tokens=50_000,
    longest_sample="pages/<7>.png",
    longest_tokens=1200,
    layout="tiny",
    layout_reason="Layout `tiny`, chosen for 998 pictures.",
    image_tokens=73.0,
    layout_tokens={"tiny": 73.0, "base": 273.0, "gundam": 1183.0},
    steps=60,
    batches=125,
    epochs=0.48,
    batch_size=8,
    micro_batch=4,
    checkpointing=True,
    step_seconds=1.5,
    peak_bytes=12_400_000_000,
    memory_bytes=15_800_000_000,
    features_seconds=120.0,
    features_bytes=186_000_000,
    measuring_seconds=90.0,
    seconds=300.0,
    hardware="Tesla T4",
    space="t4-small",
    dollars_an_hour=0.4,
    dollars=0.033,
)
