"""What the machines of Hugging Face Spaces cost, where the Hub cannot be asked."""

PRICES_DATE = "2026-11"
PRICES = {  # dollars an hour, as published then
    "cpu-basic": 0.0,
    "cpu-upgrade": 0.03,
    "t4-small": 0.40,
    "t4-medium": 0.60,
    "l4x1": 0.80,
    "a10g-small": 1.00,
    "a10g-large": 1.50,
    "a100-large": 2.50,
}
FREE = ("cpu-basic", "zero-a10g")  # as far as no time is billed
