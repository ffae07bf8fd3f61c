"""A module for each worker; the registry imports all that is here."""
