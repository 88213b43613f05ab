"""The Space's entry: serve the page."""

from ocrtune.ui.page import launch

if __name__ == "__main__":
    launch()
