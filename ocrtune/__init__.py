"""ocrtune: bring pictures and the right text, get an OCR model that reads them, with proof."""

__version__ = "0.1.0"
