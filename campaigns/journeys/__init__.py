"""Journeys: versioned graphs that customers pass node by node, in batches of one transaction each."""
