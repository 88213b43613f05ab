"""Where ground truth comes from: files of this machine, or a dataset of the Hub."""

from pathlib import Path

from ocrtune.archive import Archive, open_archive
from ocrtune.config import BuildConfig
from ocrtune.errors import ArchiveError, did_you_mean
from ocrtune.events import Emit
from ocrtune.pdf_files import add_pdf_pages, open_pdf


def open_source(config: BuildConfig, emit: Emit) -> Archive:
    """Return the archive that the settings name."""
    content = Path(config.content) if config.content else None
    open_files = open_pdf if config.source.lower().endswith(".pdf") else open_archive
    if content is None or content.exists():
        return add_pdf_pages(open_files(Path(config.source), content))
    archive = add_pdf_pages(open_files(Path(config.source)))
    if config.content in archive.names():
        archive.take_content_within(config.content)
        return archive
    archive.close()
    raise ArchiveError(
        f"There is no file `{config.content}`, neither here nor in `{archive.label}`.",
        did_you_mean(config.content, archive.names()) or "Check the path.",
    )
