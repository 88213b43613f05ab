"""What to say of an exception that nobody raised on purpose."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("no space left", "quota exceeded", "file too large")
MEMORY_WORDS = ("can't allocate memory", "cannot allocate memory", "not enough memory")
MOST_CHARACTERS = 500  # of somebody else's message

AGAIN = "Then go on from what is kept, or start again."


def is_full_disk(error: BaseException) -> bool:
    """Return whether the error says that nothing more can be written."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(words in str(error).lower() for words in FULL_WORDS)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the error says that memory has run out, on the machine or its accelerator."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in MEMORY_WORDS
    )


def is_circumstance(error: BaseException) -> bool:
    """Return whether the error tells of the machine, not of a mistake in ocrtune."""
    return is_full_disk(error) or is_out_of_memory(error)


def explain_crash(error: BaseException) -> tuple[str, str]:
    """Return what happened and what to do about it, a sentence or two each."""
    if is_full_disk(error):
        return "The disk is full.", f"Make room. {AGAIN}"
    if type(error).__name__ == "OutOfMemoryError":
        return (
            "The accelerator's memory ran out.",
            f"End other programs that use it, or choose a smaller batch, layout or model. {AGAIN}",
        )
    if is_out_of_memory(error):
        return (
            "The machine's memory ran out.",
            f"End other programs, or choose a smaller batch, fewer pictures or a smaller model. "
            f"{AGAIN}",
        )
    words = str(error)[:MOST_CHARACTERS]
    problem = f"ocrtune itself failed ({type(error).__name__}: {words})."
    return problem, "Try again; if it happens again, report it with the log."
