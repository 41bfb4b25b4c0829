class StillSending(Exception):
    """A campaign of the demo shop is being sent; it has to be canceled or finished first."""


class LoadError(Exception):
    """Real input is not there, or what was loaded is not what it should be."""
