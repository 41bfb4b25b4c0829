class StillSending(Exception):
    """A campaign of the demo shop is being sent; it has to be cancelled or finished first."""
