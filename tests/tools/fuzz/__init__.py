"""Hostile bytes for every reader: `make fuzz SECONDS=60` or `make fuzz INPUTS=10000000`.

Every input must lead to a result or a KvlibError, and a decoded value must encode to the same bytes
again. Each input is for one target. It starts as something the engine wrote; then bits are flipped,
ranges cut, doubled, zeroed, spliced or inserted, and numbers set to extremes. Most of this happens
below the checksums, which are corrected afterwards: otherwise they would hide the decoders.
"""
