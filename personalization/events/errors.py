class MessageError(Exception):
    """Why one message is not taken."""
