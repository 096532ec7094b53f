"""Views as HTML: complete without style and script, and small."""

import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.explored import LOG
from kvlib import MemoryDisk, views
from kvlib.layout.dissect import FORMATS, dissect
from kvlib.layout.text import SHOWN
from kvlib.views import dump, html

VOID = {"br", "hr", "img", "input", "meta"}
INSIDE = {"tr": {"tr", "td", "th"}, "td": {"td", "th"}, "th": {"td", "th"}}  # what each one closes
INSIDE |= {"tbody": {"tr", "td", "th", "thead", "tbody"}, "p": {"p"}, "dt": {"dd", "dt"}}
INSIDE |= {"dd": {"dd", "dt"}, "thead": {"caption"}}
ENDS = {"tr", "td", "th", "thead", "tbody", "p", "dt", "dd"}  # end tags that HTML does without


class Reader(HTMLParser):
    """Parse a view as a browser does, but reject anything that a browser would have to repair."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self.open and self.open[-1] in INSIDE.get(tag, ()):
            self.open.pop()
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag:
            assert self.open.pop() in ENDS, f"</{tag}> closes more than it should"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
            return
        self.text += data
        if {"td", "th"} & {*self.open}:
            self.tables[-1][-1][-1] += data


def grid(reader: Reader, number: int = 0) -> bytes:
    """Return the bytes that the hex grid shows."""
    return bytes.fromhex("".join(row[1] for row in reader.tables[number][1:] if len(row) == 3))


def table_of(made: html.Drawing) -> str:
    """Return bytes as a view without a script."""
    return html.root("", html.legend([made]) + html.picture(made, wait=""))


def spoil(data: bytes, at: int) -> bytes:
    """Return the data with one byte changed."""
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :] if data else data


def a_log() -> bytes:
    """Return a log with every kind of frame."""
    disk = MemoryDisk()
    with kvlib.open(disk) as store:
        store["café"] = "2,50 €"
        store.delete("café")
    return disk.read("log")


SAMPLES: dict[str, Callable[[], bytes]] = {
    "field": lambda: kvlib.encode_field("café"),
    "record": lambda: kvlib.encode_field("café") + kvlib.encode_field(b"<b>"),
    "snapshot": lambda: kvlib.encode_snapshot({"café": "2,50 €", b"": b"\xff"}),
    "segment": lambda: kvlib.split(kvlib.encode_snapshot({"café": "2,50 €"}), 20)[0],
    "mutations": lambda: b"P" + kvlib.encode_field("a") + kvlib.encode_field("b"),
    "frame": lambda: kvlib.seal(b"S", 3, b"anything"),
    "log": a_log,
}


@pytest.mark.parametrize("format", FORMATS)
@given(st.data())
def test_the_grid_shows_the_bytes(format: str, data: st.DataObject) -> None:
    """The hex digits are the data, and the table has its leaves, in any format, damaged or not."""
    whole = SAMPLES.get(format, a_log)()
    raw = data.draw(
        st.binary(max_size=80) | st.integers(0, len(whole)).map(lambda end: whole[:end])
    )
    if raw:
        raw = spoil(raw, data.draw(st.integers(0, len(raw) - 1)))
    layout = dissect(raw, format=format)
    reader = Reader(table_of(html.draw(layout)))
    assert grid(reader) == raw
    leaves = [leaf for leaf in layout.root.leaves() if leaf.kind != "group"]
    rows = [row for row in reader.tables[1][1:] if len(row) == 5]
    assert [int(row[0].split("-")[0], 16) for row in rows] == [leaf.start for leaf in leaves]
    for row, leaf in zip(rows, leaves, strict=True):
        assert row[2].split(" ")[-1] == leaf.kind[0].upper()
        assert (row[2].split(" ")[0] == "!!") == (leaf.status == "bad")


@pytest.mark.parametrize("name", SAMPLES)
def test_static_html_is_plain_and_accessible(name: str) -> None:
    """A view has no ids and handlers, fetches nothing, and gives each heading a scope."""
    text = dump(SAMPLES[name]())._repr_mimebundle_()["text/html"]
    assert text == dump(SAMPLES[name]())._repr_mimebundle_()["text/html"]
    reader = Reader(text)
    for tag, attributes in reader.tags:
        assert not {"id", "href"} & {*attributes}
        assert not [name for name in attributes if name.startswith("on")]
        assert (tag == "th") == ("scope" in attributes)
        assert (attributes.get("src") or "data:image/svg+xml,").startswith("data:image/svg+xml,")
        assert (tag == "img") == bool(attributes.get("alt"))
    assert sum(tag == "caption" for tag, _ in reader.tags) == len(reader.tables) == 1
    assert "url(" not in reader.raw["style"][0]


def test_text_is_not_markup() -> None:
    """Markup in keys and values is escaped."""
    text = dump(kvlib.encode_field("<b onclick=x>&amp;</script>"))._repr_mimebundle_()["text/html"]
    assert "<b onclick" not in text.partition("<script")[0]
    assert "'<b onclick=x>&amp;</script>'" in Reader(text).text


def test_a_table_needs_no_script() -> None:
    """A table has its style, and names missing and marked bytes in words."""
    layout = dissect(SAMPLES["field"]()[:7], source="field")
    text = table_of(html.draw(layout, b"f\xc3\xa9", [(2, 6, "new")]))
    reader = Reader(text)
    assert reader.raw["script"] == []
    assert reader.raw["style"] != []
    assert grid(reader) == SAMPLES["field"]()
    assert reader.tables[1][-1][3:] == ["beyond", html.STATUSES["beyond"]]
    runs = re.findall('<b class="?([^">]*)"?>([^<]*)', text)
    assert [(names, shown.split()) for names, shown in runs if "new" in names] == [
        ("L bad new", ["00", "00", "05"]),
        ("G unread new", ["63"]),
    ]


@pytest.mark.parametrize(
    ("data", "format", "name"),
    [
        (kvlib.split(kvlib.encode_snapshot({"café": "2,50 €"}), 20)[1], "segment", "piece"),
        (kvlib.seal(b"S", 3, b"anything"), "frame", "payload"),
        (LOG[:-3], "log", "tail.payload"),
    ],
)
def test_payloads_are_labelled_raw(data: bytes, format: str, name: str) -> None:
    """Bytes that kvlib doesn't take apart are labelled raw, and aren't a gap."""
    layout = dissect(data, format=format)
    leaf = list(layout.root.leaves())[-1]
    assert (leaf.kind, leaf.name.removeprefix("frame[0].")) == ("raw", name)
    text = table_of(html.draw(layout))
    assert '<span class="R">R</span>\N{NO-BREAK SPACE}raw, not taken apart' in text
    assert ">G</span>" not in text


@pytest.mark.parametrize(("size", "more"), [(SHOWN, ""), (SHOWN + 1, "…")])
def test_the_bytes_of_a_long_part_are_cut(size: int, more: str) -> None:
    """A row of the table has at most SHOWN bytes, and ends in an ellipsis if some are cut."""
    layout = dissect(kvlib.encode_field("v" * size))
    (*_, row) = Reader(table_of(html.draw(layout))).tables[1]
    assert row[1].removesuffix("…").split() == ["76"] * (SHOWN - len(more))
    assert row[1].endswith(more)


def test_scripts_lose_only_comments_and_spaces() -> None:
    """Comments and indentation are dropped, and strings are kept."""
    text = html._static("view.js")
    assert "//" not in text
    assert "\n " not in text
    assert "Point at a byte, or press Tab and arrow keys, to read what it is." in text
    assert "/*" not in html._static("view.css")


def test_importing_views_loads_no_widgets() -> None:
    """`import kvlib.views` loads neither ipywidgets nor altair, and has only callables."""
    code = (
        "import sys\n"
        "from kvlib import views\n"
        "print([*{'ipywidgets', 'altair'} & {*sys.modules}])\n"
        "print([name for name in views.__all__ if not callable(getattr(views, name))])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n[]\n"
    assert dir(views) == views.__all__
    assert callable(getattr(views, "explore"))  # noqa: B009  # may load ipywidgets
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(views, "nothing")  # noqa: B009  # the type checker rejects views.nothing


def test_dollars_are_not_formulas() -> None:
    """A class keeps JupyterLab from typesetting the text between two dollars."""
    text = views.dump(kvlib.encode_field("$a$ b"))._repr_mimebundle_()["text/html"]
    (_, outermost), *_ = Reader(text).tags
    assert "mathjax_ignore" in (outermost["class"] or "").split()
    assert "$a$ b" in text
