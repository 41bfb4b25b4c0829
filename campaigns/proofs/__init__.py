"""Messages seen before they are sent: as any customer, side by side, compared and checked."""
