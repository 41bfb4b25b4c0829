"""Every event, told to programs of others: signed, retried, on record. Source: standardwebhooks.com."""
