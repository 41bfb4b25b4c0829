"""Starts and watches the whole product on one machine: `manage.py up`.

Nothing in this package needs Django or the database to be there: it is what starts them.
"""
