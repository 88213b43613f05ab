"""The processes of one run, a GPU each: `accelerate launch` or `torchrun` start them alike."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

PATIENCE = timedelta(hours=2)  # rank 0 may download a model while the others wait


@dataclass(frozen=True)
class Ranks:
    """This process's place among those of the run."""

    index: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and talks to people."""
        return self.index == 0

    def add_up(self, values: Tensor) -> None:
        """Replace the values by their sum over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)

    def any(self, flag: bool, device: torch.device) -> bool:
        """Return whether the flag is set in any process."""
        if self.count == 1:
            return flag
        flags = torch.tensor(float(flag), device=device)
        distributed.all_reduce(flags)
        return bool(flags.item())

    def share(self, values: Tensor) -> None:
        """Replace the values by the first process's."""
        if self.count > 1:
            distributed.broadcast(values, 0)

    def gather(self, value: Any) -> list:
        """Return the (picklable) values of all processes, in their order."""
        if self.count == 1:
            return [value]
        values: list = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Return once all processes are here."""
        if self.count > 1:
            distributed.barrier()


ALONE = Ranks()


def join_ranks() -> Ranks:
    """Return this process's place, after joining the others of its run if there are any."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return ALONE
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not distributed.is_initialized():
        kind = "nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(kind, timeout=PATIENCE)
    return Ranks(distributed.get_rank(), count)


def leave_ranks() -> None:
    """Part from the other processes, if there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
