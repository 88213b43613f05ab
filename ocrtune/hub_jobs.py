"""Jobs of the Hugging Face Hub: machines by the minute, what they cost, and what they say."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from ocrtune.errors import HubBusyError, HubError
from ocrtune.flavors import Flavor
from ocrtune.hub_writing import PASSING, TOKENS, be_patient, quoted, user_of

BILLING = "https://huggingface.co/settings/billing"
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
    with job_errors("the list of machines"):
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
            raise HubError(
                "Nobody is signed in who could start a job on the Hub.",
                f"Sign in with `hf auth login`, with a token of {TOKENS} that may write and start "
                "jobs.",
            )
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
        with job_errors(f"a job on `{flavor}`"):
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
        with job_errors(f"the job `{job_id}`"):
            try:
                return seen(self.api.inspect_job(job_id=job_id, namespace=self.user))
            except HfHubHTTPError as error:
                if error.response is None or error.response.status_code != 404:
                    raise
        return RemoteLook(job_id, "DELETED", "", "")

    def find(self, mark: str) -> RemoteLook | None:
        """Return the job that was started with this mark; None if none was."""
        with job_errors("your jobs"):
            found = self.api.list_jobs(labels={LABEL: mark}, namespace=self.user)
            for one in found:
                if (one.labels or {}).get(LABEL) == mark:
                    return seen(one)
        return None

    def lines(self, job_id: str) -> Iterator[str]:
        """Yield what a job has printed, from its beginning, and what it prints until it ends.

        Ends at once while the machine is being prepared.
        """
        with job_errors(f"the log of the job `{job_id}`"):
            yield from self.api.fetch_job_logs(job_id=job_id, follow=True, namespace=self.user)

    def printed(self, job_id: str) -> list[str]:
        """Return what a job has printed so far."""
        with job_errors(f"the log of the job `{job_id}`"):
            return list(self.api.fetch_job_logs(job_id=job_id, namespace=self.user))

    def cancel(self, job_id: str) -> None:
        """End a job; nothing more is to be paid for it."""
        with job_errors(f"the job `{job_id}`"):
            self.api.cancel_job(job_id=job_id, namespace=self.user)


def seen(job: object) -> RemoteLook:
    """Return what the client knows of a job in our words."""
    stage = getattr(job.status.stage, "value", job.status.stage)
    return RemoteLook(job.id, str(stage), job.status.message or "", job.url)


@contextmanager
def job_errors(what: str) -> Iterator[None]:
    """Turn what the clients raise about a job into a HubError; what: that was asked for."""
    try:
        yield
    except HubError:
        raise
    except HfHubHTTPError as error:
        raise refused_job(what, error) from error
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise HubBusyError(
            f"The Hub cannot be asked for {what} now.", "Check the connection and try again."
        ) from error


def refused_job(what: str, error: HfHubHTTPError) -> HubError:
    """Return the error for an answer of the Hub about jobs that is no success."""
    answer = error.response
    status = answer.status_code if answer is not None else 0
    said = quoted(error.server_message or "")
    if status in PASSING or not status:
        wait = answer.headers.get("Retry-After", "") if answer is not None else ""
        return HubBusyError(
            f"The Hub answers {status or 'nothing'} when asked for {what}.",
            "Try again in a few minutes.",
            float(wait) if wait.isdigit() else 0.0,
        )
    if status == 401:
        return HubError(
            f"The Hub does not accept the token (401) for {what}.",
            f"Sign in again, with a token of {TOKENS} that may write and start jobs.",
        )
    if status == 402:
        return HubError(
            f"This account has no credit for {what} (402).{said}",
            f"Add credit or a means of payment on {BILLING}, or let the run stay on this machine.",
        )
    if status == 403:
        return HubError(
            f"This sign-in may not be used for {what} (403).{said}",
            f"Use a token of {TOKENS} with the permission to start and manage jobs; on a Space, "
            "sign out and in again and allow jobs (its owner lists the scope `jobs` under "
            "`hf_oauth_scopes`).",
        )
    if status == 404:
        return HubError(
            f"The Hub knows nothing of {what} (404).", "It may have been deleted: start it again."
        )
    return HubError(f"The Hub answers {status} when asked for {what}.{said}", "Try again.")


# What the Hub says of a job that ended badly, in patterns, and what to say of it.
ENDS = (
    (
        r"time.?d? ?out|timeout|exceeded.*(?:time|duration)",
        "It took longer than the {minutes:.0f} minutes agreed on, and the Hub ended it.",
        "Resume goes on from the last copy; agree to more minutes, or learn fewer steps.",
    ),
    (
        r"image|pull|manifest unknown",
        "The machine could not fetch the programs it runs on.",
        "This is most often passing: try again in a few minutes.",
    ),
    (
        r"evict|preempt|node.*(?:lost|shut)|spot|unschedul",
        "The Hub took the machine away.",
        "Resume goes on from the last copy, on another machine.",
    ),
    (
        r"oom|out of memory|memory",
        "The machine ran out of memory.",
        "Choose a larger machine, or fewer samples a step.",
    ),
)


def explain_stage(look: RemoteLook, minutes: float) -> HubError:
    """Return the error for a job that ended without a word of its own.

    minutes: after which the Hub was to end it.
    """
    said = quoted(look.message)
    if look.stage in ("CANCELED", "DELETED"):
        return HubError(
            f"The job was cancelled on the Hub.{said}", "Resume goes on from the last copy."
        )
    for pattern, problem, fix in ENDS:
        if re.search(pattern, look.message, re.IGNORECASE):
            return HubError(problem.format(minutes=minutes) + said, fix)
    return HubError(
        f"The job on the Hub ended in trouble.{said}",
        f"Its log is on {look.address}; Resume goes on from the last copy.",
    )
