"""A process of its own for the Hub's clients, driven a line of code at a time.

What the clients know of the Hub's address is read once, when they are imported: a test that
serves a local Hub needs another process for them.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Our refusals come back as words; anything else ends the process, and with it the test.
LOOP = """
import json, sys
from ocrtune.errors import OcrtuneError
for line in sys.stdin:
    code, names = json.loads(line), globals()
    try:
        try:
            value = eval(code, names)
        except SyntaxError:
            value = exec(code, names)
    except OcrtuneError as error:
        value = f"{type(error).__name__}: {error}"
    print(json.dumps(value, default=str), flush=True)
"""


@contextmanager
def driven(setup: str, environment: dict[str, str]) -> Iterator[Callable[[str], object]]:
    """Yield a function that runs code in a process which ran `setup` first.

    It returns what an expression is worth, as JSON can say it, or `ERROR: words` where ocrtune
    refused.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", setup + LOOP],
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def do(code: str) -> object:
        process.stdin.write(json.dumps(code) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    try:
        yield do
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()
