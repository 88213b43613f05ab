"""What `python -m ocrtune bench` measures."""
