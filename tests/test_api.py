"""What programs and assistants may ask the page for, asked as they ask: over HTTP."""

import base64
import contextlib
import http.server
import io
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from line_samples import draw_line, paged
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from page_server import serve_page
from page_visitors import Visitor

from ocrtune import jobs
from ocrtune.config import TrainConfig
from ocrtune.ui.picture_tool import LARGEST_BODY, LARGEST_MB, NAME
from ocrtune.ui.visitors import VISITOR, digest_of

SECONDS = 240
ENDPOINTS = ("read", "build", "compare")
PICTURE = draw_line("Berlin 42")
FORM = {"meta": {"_type": "gradio.FileData"}}


def zip_of_lines() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        lines = []
        for number in range(12):
            archive.writestr(f"{number}.png", draw_line(f"line {number}"))
            lines.append(f"{number}.png line {number}")
        archive.writestr("content.md", "\n".join(lines))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A served page, a program that knows it, and a run of that program's."""
    folder = tmp_path_factory.mktemp("api")
    home = folder / "home"
    (folder / "line.png").write_bytes(PICTURE)
    (folder / "pictures.zip").write_bytes(zip_of_lines())
    (folder / "secret.png").write_bytes(draw_line("nobody"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "cache"))
        patch.setenv("OCRTUNE_READER_MINUTES", "5")  # a model is loaded once for all of these
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
        with serve_page(home) as address:
            client = Client(address, verbose=False, download_files=folder / "fetched")
            archive = handle_file(folder / "pictures.zip")
            facts, report = client.predict(archive=archive, api_name="/build")
            run = tune(home, facts["dataset"], digest_of({VISITOR: facts["owner"]}))
            yield SimpleNamespace(
                folder=folder,
                home=home,
                address=address,
                client=client,
                facts=facts,
                report=Path(report),
                owner=facts["owner"],
                run=run,
            )
        for job in jobs.list_jobs(home):
            job.delete()


def tune(home: Path, dataset: str, owner: str) -> str:
    """Return the id of a short run of that owner."""
    job = jobs.create(home)
    config = TrainConfig(
        data=str(home / "jobs" / dataset / "dataset"),
        output=str(job.folder / "run"),
        steps=1,
        batch_size=2,
        validation_samples=1,
    )
    jobs.start(job, "train", config, owner=owner)
    deadline = time.monotonic() + SECONDS
    while not job.ended() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job.state() == "done", job.log()
    return job.id


@pytest.fixture
def watched() -> Iterator[SimpleNamespace]:
    """A server of somebody else, and who asked it for what."""
    asked = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PICTURE)

        do_HEAD = do_POST = do_GET

        def log_message(self, *words: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(address=f"http://127.0.0.1:{server.server_port}", asked=asked)
    server.shutdown()
    server.server_close()


def picture_of(place: SimpleNamespace) -> dict:
    return handle_file(place.folder / "line.png")


# The endpoints


def test_three_endpoints_are_described_with_types_and_words(place):
    named = httpx.get(f"{place.address}/gradio_api/info").json()["named_endpoints"]
    assert list(named) == [f"/{name}" for name in ENDPOINTS]
    for endpoint in named.values():
        words = endpoint["description"]
        assert "Returns:" in words
        for parameter in endpoint["parameters"]:
            assert parameter["type"], parameter
            assert f"{parameter['parameter_name']}: " in words
        for told in endpoint["returns"]:
            assert told["type"], told


def test_a_dataset_is_built_with_its_facts_and_its_report(place):
    assert sum(place.facts["samples"].values()) == 12
    assert place.facts["left_out"] == 0
    assert json.loads(place.report.read_text("utf-8"))["splits"] == place.facts["samples"]


def test_a_picture_is_read_and_nothing_of_it_is_kept(place):
    before = {job.id for job in jobs.list_jobs(place.home)}
    told = place.client.predict(picture=picture_of(place), api_name="/read")
    assert told["text"] == told["readings"][0]["text"]
    assert "42" in told["text"]
    [reading] = told["readings"]
    flags = {name: reading[name] for name in ("looped", "cut", "failed")}
    assert flags == {"looped": False, "cut": False, "failed": False}
    assert reading["model"] == "base"
    assert len(told["owner"]) >= 22
    assert {job.id for job in jobs.list_jobs(place.home)} == before


def test_a_run_reads_beside_its_base_model(place):
    told = place.client.predict(picture=picture_of(place), run=place.run, api_name="/read")
    assert [one["model"] for one in told["readings"]] == ["base", "tuned"]


def test_all_pages_of_a_tiff_are_read_and_too_many_are_refused(place):
    pages = place.folder / "pages.tif"
    pages.write_bytes(paged([PICTURE, draw_line("Dresden 57")]))
    told = place.client.predict(picture=handle_file(pages), run=place.run, api_name="/read")
    assert [one["model"] for one in told["readings"]] == ["base", "tuned"]
    for one in told["readings"]:
        first, second = one["text"].split("\n\n")
        assert ("42" in first, "57" in second, one["failed"]) == (True, True, False)
    pages.write_bytes(paged([PICTURE] * 51))
    assert "51 pages" in refusal(place, "read", picture=handle_file(pages))


def refusal(place: SimpleNamespace, name: str, **given: object) -> str:
    with pytest.raises(AppError) as caught:
        place.client.predict(**given, api_name=f"/{name}")
    return str(caught.value)


def test_what_goes_wrong_is_told_in_our_words_in_either_language(place):
    bad = place.folder / "bad.zip"
    bad.write_bytes(b"no zip")
    assert "`bad.zip`" in refusal(place, "build", archive=handle_file(bad))
    assert ".zip, .pdf" in refusal(place, "build", archive=picture_of(place))
    no_picture = place.folder / "no.png"
    no_picture.write_bytes(b"no picture")
    for language, word in (("en", "picture"), ("zh", "图片")):
        given = {"picture": handle_file(no_picture), "language": language}
        said = refusal(place, "read", **given)
        assert word in said
        assert "Traceback" not in said
        assert str(place.home) not in said
    assert "finished run" in refusal(place, "compare", run="x" * 22)
    assert "没有这个名字" in refusal(place, "compare", run="x" * 22, language="zh")
    assert "tuned model" in refusal(place, "compare")
    assert "owner" in refusal(place, "read", picture=picture_of(place), owner="short")


def test_a_dataset_is_of_use_to_its_owner_only(place):
    given = {"dataset": place.facts["dataset"], "adapter": "some/adapter"}
    for owner in ("", "x" * 22):
        assert "belongs to this `owner`" in refusal(place, "compare", **given, owner=owner)
    assert "belongs to this" not in refusal(place, "compare", **given, owner=place.owner)


def test_the_page_shows_a_programs_things_to_who_has_its_secret_alone(place):
    program = Visitor(place.address, {VISITOR: place.owner}).arrive()
    assert program.act("open_mine")
    assert place.facts["dataset"] in program.sees()
    stranger = Visitor(place.address).arrive()
    assert stranger.act("open_mine")
    assert place.facts["dataset"] not in stranger.sees()


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("value", [None, 7, [], {}, "x" * 100_000, {"path": "/etc/passwd"}])
def test_nonsense_is_refused_without_a_trace(place, name, value):
    visitor = Visitor(place.address)
    good, said = visitor.call(f"/{name}", *[value] * 6)
    assert not good
    assert "Traceback" not in "".join(visitor.heard)
    assert "root:" not in "".join(map(str, said))


# Nothing is fetched, and no file of the machine is looked at


def test_a_picture_at_an_address_is_refused_and_never_fetched(place, watched):
    address = f"{watched.address}/x.png"
    visitor = Visitor(place.address).arrive()
    for path in (address, address.upper(), f" {address}", address.replace("127.0.0.1", "[::1]")):
        file = {"path": path, "url": path, **FORM}
        for name in ("/read", "/build", "read", "build"):
            good, said = visitor.call(name, file)
            assert not good, (name, said)
        good, _ = visitor.call("/read", {"path": str(place.folder / "line.png"), "url": path})
        assert not good
    for door in (f"file={address}", f"file=/{address}", f"proxy={address}", f"file/{address}"):
        assert visitor.http.get(f"/gradio_api/{door}").status_code >= 400
    assert watched.asked == []


def test_the_address_beside_an_upload_is_not_asked(place, watched):
    visitor = Visitor(place.address)
    file = visitor.upload("line.png", PICTURE) | {"url": f"{watched.address}/x.png"}
    good, _ = visitor.call("/read", file)
    assert good
    assert watched.asked == []


# A training needs somebody whom it belongs to


@pytest.mark.parametrize("action", ["start", "resume_1"])
@pytest.mark.parametrize("secret", [None, "", "short", ["x" * 22]])
def test_no_training_starts_or_goes_on_for_nobody(place, action, secret):
    before = len(jobs.list_jobs(place.home))
    nobody = Visitor(place.address, {"dataset": place.facts["dataset"], "run": place.run})
    if secret is not None:
        nobody.session[VISITOR] = secret
    good, said = nobody.call(action)
    assert not good
    assert said[0]
    assert len(jobs.list_jobs(place.home)) == before
    if action == "start":
        assert "whom the page knows" in said[0]


# The tool for assistants


def assistant(place: SimpleNamespace, ask, path: str = "/gradio_api/mcp") -> object:
    """Return what `ask` makes of a session of the real client."""

    async def talk() -> object:
        async with (
            httpx.AsyncClient(timeout=SECONDS) as http,
            streamable_http_client(f"{place.address}{path}", http_client=http) as told,
            ClientSession(told[0], told[1]) as session,
        ):
            await session.initialize()
            return await ask(session)

    return anyio.run(talk)


def call(place: SimpleNamespace, name: str = NAME, **arguments: object):
    return assistant(place, lambda session: session.call_tool(name, arguments))


@pytest.mark.parametrize("path", ["/gradio_api/mcp", "/gradio_api/mcp/"])
def test_one_tool_is_offered_and_it_only_reads(place, path):
    told = assistant(place, lambda session: session.list_tools(), path)
    [tool] = told.tools
    assert tool.name == "read_picture"
    assert tool.annotations.readOnlyHint is True
    assert tool.annotations.destructiveHint is False
    assert tool.annotations.openWorldHint is False


def test_the_tool_reads_a_picture_that_is_sent_or_was_uploaded_and_keeps_nothing(place):
    before = {job.id for job in jobs.list_jobs(place.home)}
    words = base64.b64encode(PICTURE).decode()
    upload = Visitor(place.address).upload("line.png", PICTURE)["path"]
    cached = set(cache_of(place))
    for picture in (
        words,
        f"data:image/png;base64,{words}",
        upload,
        f"{place.address}/gradio_api/file={upload}",
    ):
        told = call(place, picture=picture)
        assert not told.isError, told
        assert "42" in told.content[0].text
        assert told.structuredContent["text"] == told.content[0].text
        assert list(told.structuredContent) == ["text", "readings"]
    told = call(place, picture=words, run=place.run)
    assert [one["model"] for one in told.structuredContent["readings"]] == ["base", "tuned"]
    assert {job.id for job in jobs.list_jobs(place.home)} == before
    assert set(cache_of(place)) == cached


def cache_of(place: SimpleNamespace) -> Iterator[Path]:
    return (path for path in (place.folder / "cache").rglob("*") if path.is_file())


def test_the_tool_fetches_nothing_and_looks_at_no_other_file(place, watched):
    secret = place.folder / "secret.png"
    link = place.folder / "cache" / "link.png"
    link.symlink_to(secret)
    for picture in (
        f"{watched.address}/x.png",
        f"{watched.address}/gradio_api/file=/etc/passwd",
        f"{watched.address}/gradio_api/file={secret}",
        str(secret),
        str(link),
        f"{place.folder}/cache/../secret.png",
        f"file://{secret}",
        "/etc/passwd",
        "../secret.png",
        "",
        "no Base64!",
        base64.b64encode(b"no picture").decode(),
    ):
        told = call(place, picture=picture)
        assert told.isError, picture
        assert "Traceback" not in told.content[0].text
        assert "No such file" not in told.content[0].text
    link.unlink()
    assert watched.asked == []


def test_the_tool_says_what_is_wrong_with_what_it_is_asked(place):
    told = call(place, picture=base64.b64encode(PICTURE).decode(), run="x" * 22)
    assert told.isError
    assert "finished run" in told.content[0].text
    for name in ("build", "compare", "start", "read", "build_for_program"):
        told = call(place, name, picture="x")
        assert told.isError
        assert "no such tool" in told.content[0].text.lower()
    assert call(place).isError
    assert call(place, picture=7).isError
    assert call(place, picture="x", owner="y" * 22).isError


def test_the_tool_takes_no_more_than_a_picture(place):
    large = b"x" * (LARGEST_BODY + 1)
    door = f"{place.address}/gradio_api/mcp"
    answer = httpx.post(door, content=large, timeout=SECONDS)
    assert (answer.status_code, f"{LARGEST_MB} MB" in answer.text) == (413, True)

    def parts() -> Iterator[bytes]:  # whose length nobody told
        for _ in range(LARGEST_BODY // 1_000_000 + 2):
            yield b"x" * 1_000_000

    with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # shut in the middle
        assert httpx.post(door, content=parts(), timeout=SECONDS).status_code == 413


def test_the_page_of_somebody_else_cannot_ask_through_a_browser(place):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    door = f"{place.address}/gradio_api/mcp"
    assert httpx.post(door, json=body, headers=accept).status_code == 200
    foreign = accept | {"Origin": "https://example.org"}
    assert httpx.post(door, json=body, headers=foreign).status_code == 403
    assert httpx.get(door).status_code == 405
    assert httpx.get(f"{place.address}/gradio_api/mcp/sse").status_code == 404
    assert httpx.get(f"{place.address}/gradio_api/mcp/schema").status_code == 404


# The comparison comes last: the process that reads gives way to it


def test_a_comparison_tells_both_rates_with_intervals_and_gives_the_report(place):
    asked = {"run": place.run, "owner": place.owner, "language": "zh"}
    summary, page = place.client.predict(**asked, api_name="/compare")
    assert summary["lines"] == place.facts["samples"]["test"]
    for model in ("base", "tuned"):
        assert summary[model]["low"] <= summary[model]["cer"] <= summary[model]["high"]
    lowest, difference, highest = (summary["difference"][one] for one in ("low", "cer", "high"))
    assert lowest <= difference <= highest
    assert difference == pytest.approx(summary["tuned"]["cer"] - summary["base"]["cer"])
    assert summary["verdict"] in Path(page).read_text("utf-8")
    assert any(character > "\u4e00" for character in summary["verdict"])


# What the README shows

README = Path(__file__).parent.parent / "README.md"


def examples() -> dict[str, str]:
    """Return the README's examples for programs, by their languages."""
    part = README.read_text("utf-8").split("\n## From a program\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^```(\w+)\n(.*?)^```", part, re.DOTALL | re.MULTILINE))


def run_example(place: SimpleNamespace, *command: str) -> str:
    """Return what a command prints, run where the README's files lie."""
    known = {"capture_output": True, "text": True, "timeout": SECONDS, "cwd": place.folder}
    done = subprocess.run(command, check=False, **known)
    assert done.returncode == 0, done.stderr
    return done.stdout


def example(place: SimpleNamespace, language: str) -> str:
    """Return an example with the address of this page, and the run of this program."""
    words = examples()[language].replace("THE-RUN", place.run)
    assert "127.0.0.1:7860" in words
    return words.replace("http://127.0.0.1:7860", place.address)


def test_the_readmes_python_example_runs(place):
    told = run_example(place, sys.executable, "-c", example(place, "python")).splitlines()
    read, facts, compared = (one for one in told if "Loaded as API" not in one)
    assert "42" in read
    assert facts.startswith(str(place.facts["samples"]))
    assert compared.endswith("report.html")


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_the_readmes_curl_example_runs(place):
    told = run_example(place, "sh", "-e", "-c", example(place, "sh"))
    assert "event: complete" in told
    assert "42" in told


def test_the_readmes_address_for_assistants_answers(place):
    address = json.loads(example(place, "json"))["mcpServers"]["ocrtune"]["url"]
    path = address.removeprefix(place.address)
    told = assistant(place, lambda session: session.list_tools(), path)
    assert [tool.name for tool in told.tools] == [NAME]
    assert f"`{NAME}`" in README.read_text("utf-8")
