"""Laws that every layout keeps."""

from zlib import crc32

from kvlib.layout.dissect import Layout, Region


def checked_leaves(layout: Layout) -> list[Region]:
    """Return the leaves; check that the tree covers the data, and that spans are right."""
    assert (layout.root.start, layout.root.end) == (0, len(layout.data))
    _check_children(layout.root)
    leaves = [*layout.root.leaves()]
    assert b"".join(layout.data[leaf.start : leaf.end] for leaf in leaves) == layout.data
    assert len({leaf.name for leaf in leaves}) == len(leaves)
    _check_spans(layout.data, leaves)
    return leaves


def _check_children(region: Region) -> None:
    at = region.start
    for child in region.children:
        assert child.start == at <= child.end
        _check_children(child)
        at = child.end
    if region.children:
        assert (region.kind, region.end) == ("group", at)


def _check_spans(data: bytes, leaves: list[Region]) -> None:
    salt = next((leaf.value for leaf in leaves if leaf.name == "head.salt"), 0)
    assert isinstance(salt, int)
    for leaf in leaves:
        if leaf.governs:
            start, end = leaf.governs
            assert leaf.end <= start <= end <= len(data)
            if leaf.kind == "length":
                assert end - start == leaf.value
            elif leaf.kind == "checksum":
                seed = salt if leaf.name.startswith("frame[") else 0
                assert crc32(data[start:end], seed) == leaf.value
