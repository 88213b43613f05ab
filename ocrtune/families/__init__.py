"""What ocrtune knows about each kind of model, one module per family."""
