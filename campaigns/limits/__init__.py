"""What holds a message back at the moment of sending: frequency caps and quiet hours."""
