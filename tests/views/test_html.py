"""Views as HTML: complete without style and script, and small."""

import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

import kvlib
from helpers.explored import LOG
from kvlib import MemoryDisk, views
from kvlib.layout.dissect import dissect
from kvlib.views import dump
from kvlib.views.annotated import annotated

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
    says = annotated(layout, "").positions[-1].says
    assert "raw" in says
    assert "gap" not in says


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
