"""The law of every layout's shape."""

from kvlib.layout.dissect import Layout, Region


def checked_leaves(layout: Layout) -> list[Region]:
    """Return the leaves: children fill their parent, and the tree covers the data."""
    assert (layout.root.start, layout.root.end) == (0, len(layout.data))
    _check_children(layout.root)
    leaves = [*layout.root.leaves()]
    assert b"".join(layout.data[leaf.start : leaf.end] for leaf in leaves) == layout.data
    assert len({leaf.name for leaf in leaves}) == len(leaves)
    return leaves


def _check_children(region: Region) -> None:
    at = region.start
    for child in region.children:
        assert child.start == at <= child.end
        _check_children(child)
        at = child.end
    if region.children:
        assert (region.kind, region.end) == ("group", at)
