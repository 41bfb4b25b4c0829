"""What can go wrong at the start, each as one sentence with its way out."""


class StartError(Exception):
    """The product cannot start; the message says why and what mends it."""
