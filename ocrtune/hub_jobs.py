"""Jobs of the Hugging Face Hub: machines by the minute, what they cost, and what they say."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from ocrtune.errors import HubError
from ocrtune.flavors import Flavor
from ocrtune.hub_words import hub_error
from ocrtune.hub_writing import LONGEST_QUOTE, PASSING, be_patient, own_words, user_of
from ocrtune.redaction import redact

LABEL = "ocrtune"  # of our jobs; its value tells one from another
PARTS_OF_HOUR = {"second": 3600, "minute": 60, "hour": 1}
UNDER_WAY = ("SCHEDULING", "RUNNING", "UPDATING")


@dataclass(frozen=True)
class RemoteLook:
    """How a job of the Hub is doing."""

    job_id: str
    stage: str  # SCHEDULING, RUNNING, COMPLETED, CANCELED, ERROR or DELETED
    message: str  # the Hub's own words; empty where it has none
    address: str  # of its page

    @property
    def under_way(self) -> bool:
        return self.stage in UNDER_WAY


def list_flavors(token: str) -> list[Flavor]:
    """Return what can be had now, at which price."""
    be_patient()
    with job_errors():
        found = HfApi(token=token).list_jobs_hardware()
    return [
        Flavor(
            name=one.name,
            title=one.pretty_name,
            cards=int(one.accelerator.quantity) if one.accelerator else 0,
            card=one.accelerator.model if one.accelerator else "",
            card_memory=one.accelerator.vram if one.accelerator else "",
            dollars_an_hour=one.unit_cost_usd * PARTS_OF_HOUR.get(one.unit_label, 60),
        )
        for one in found
    ]


class RemoteJobs:
    """The jobs of one account."""

    def __init__(self, token: str) -> None:
        if not token:
            raise hub_error("job_nobody")
        be_patient()
        self.user = user_of(token)
        self.api = HfApi(token=token)

    def start(
        self,
        image: str,
        command: Sequence[str],
        flavor: str,
        minutes: float,
        mark: str,
        environment: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> RemoteLook:
        """Start a job that the Hub ends after so many minutes, and return how it is doing."""
        with job_errors():
            made = self.api.run_job(
                image=image,
                command=list(command),
                env=dict(environment),
                secrets=dict(secrets),
                flavor=flavor,
                timeout=round(60 * minutes),
                labels={LABEL: mark, "name": f"ocrtune-{mark}"},
                namespace=self.user,
            )
        return seen(made)

    def look(self, job_id: str) -> RemoteLook:
        """Return how a job is doing."""
        with job_errors():
            try:
                return seen(self.api.inspect_job(job_id=job_id, namespace=self.user))
            except HfHubHTTPError as error:
                if error.response is None or error.response.status_code != 404:
                    raise
        return RemoteLook(job_id, "DELETED", "", "")

    def find(self, mark: str) -> RemoteLook | None:
        """Return the job that was started with this mark; None if none was."""
        with job_errors():
            found = self.api.list_jobs(labels={LABEL: mark}, namespace=self.user)
            for one in found:
                if (one.labels or {}).get(LABEL) == mark:
                    return seen(one)
        return None

    def lines(self, job_id: str) -> Iterator[str]:
        """Yield what a job has printed, from its beginning, and what it prints until it ends.

        Ends at once while the machine is being prepared.
        """
        with job_errors():
            yield from self.api.fetch_job_logs(job_id=job_id, follow=True, namespace=self.user)

    def printed(self, job_id: str) -> list[str]:
        """Return what a job has printed so far."""
        with job_errors():
            return list(self.api.fetch_job_logs(job_id=job_id, namespace=self.user))

    def cancel(self, job_id: str) -> None:
        """End a job; nothing more is to be paid for it."""
        with job_errors():
            self.api.cancel_job(job_id=job_id, namespace=self.user)


def seen(job: object) -> RemoteLook:
    """Return what the client knows of a job in our words."""
    stage = getattr(job.status.stage, "value", job.status.stage)
    return RemoteLook(job.id, str(stage), job.status.message or "", job.url)


@contextmanager
def job_errors() -> Iterator[None]:
    """Turn what the clients raise about jobs into a HubError."""
    try:
        yield
    except HubError:
        raise
    except HfHubHTTPError as error:
        raise refused_job(error) from error
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise hub_error("job_away") from error


KEYS = {401: "job_token", 402: "job_credit", 403: "job_scope", 404: "job_gone"}


def refused_job(error: HfHubHTTPError) -> HubError:
    """Return the error for an answer of the Hub about jobs that is no success."""
    answer = error.response
    status = answer.status_code if answer is not None else 0
    if status in PASSING or not status:
        wait = answer.headers.get("Retry-After", "") if answer is not None else ""
        seconds = wait if wait.isdigit() else "0"
        return hub_error("job_busy", status=str(status or "–"), seconds=seconds)
    key = KEYS.get(status, "job_refused")
    return hub_error(key, status=str(status), said=own_words(error))


# What the Hub says of a job that ended badly, in patterns, and what to say of it.
ENDS = {
    "job_time": r"time.?d? ?out|timeout|exceeded.*(?:time|duration)",
    "job_image": r"image|pull|manifest unknown",
    "job_evicted": r"evict|preempt|node.*(?:lost|shut)|spot|unschedul",
    "job_memory": r"oom|out of memory|memory",
}


def explain_stage(look: RemoteLook, minutes: float) -> HubError:
    """Return the error for a job that ended without a word of its own.

    minutes: after which the Hub was to end it.
    """
    said = " ".join(redact(look.message).split())[:LONGEST_QUOTE].rstrip(".")
    told = {"said": said, "minutes": f"{minutes:.0f}", "page": look.address}
    if look.stage in ("CANCELED", "DELETED"):
        return hub_error("job_cancelled", **told)
    found = [key for key, one in ENDS.items() if re.search(one, look.message, re.IGNORECASE)]
    return hub_error(found[0] if found else "job_trouble", **told)
