"""Segments that a machine finds: groups among customers, and customers like those of a segment."""
