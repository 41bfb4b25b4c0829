"""The way in for files: read (CSV, JSON Lines, Parquet) → map columns → convert rows → write in batches.

What is particular to customers, items or events stands in each room's `importing.py` as one Importer.
"""
