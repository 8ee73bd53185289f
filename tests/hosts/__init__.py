"""The programs that dial-enricher runs under, as far as their configurations go.

Each module but `rules` and `formats` is what one host knows: the keys that each part of its configuration may
have, with their values. The tables are written by hand; a key that does nothing, or that was replaced by
another, is left out on purpose.
"""
