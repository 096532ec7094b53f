"""Find constructions that make English read like a translation.

    PYTHONPATH=tests python -m tools.prose [PATH ...]

Prints each place as `file:line: habit: the words`, and how many there are in 1,000 words. It reads
the docstrings, comments and messages of Python files, and the text of Markdown files. A
construction is only a sign: don't replace the word, say the sentence as you would say it aloud.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from helpers.paths import ROOT

START: Final = r"(?:^|(?<=[.;:] ))"

# The patterns, by habit. "(?-i:...)" is for what only counts at the start of a sentence.
HABITS: Final[dict[str, str]] = {
    "stands, lies": r"\b(?:stands?|stood|standing)\b(?! for\b| alone| apart)"
    r"|\b(?:lies|lay|lie)\b(?= (?:in|at|before|behind|above|below|beside|on|there|between|under))",
    "behind": r"\bbehind\b(?! the scenes)",
    "beside, besides": r"\bbesides?\b",
    "free relative": rf"{START}(?-i:What|Who|Whoever|Whatever|Whichever)\b(?=[^?]*$|[^?]*?\.)"
    r"|\b(?:of|to|in|with|by|from|than|at|for|and|or|but|if|that|also|only)"
    r" (?:what|whatever|whichever)"
    r" (?:is|was|it|they|he|has|had|can|came|comes|are|were|one)\b"
    r"|\bwhoever\b|\bwho (?:asks|reads|looks|writes|wants|adds)\b",
    "all that, that which": r"\ball that\b|\bthat which\b|\bthe one that\b",
    "for = because": r"[,;:] for"
    r" (?:it|they|he|there|this|that|no|none|nobody|what|who|then|these)\b",
    "in the place of": r"\bin (?:the|its|their) place(?: of)?\b|\binto (?:its|their) place\b",
    "make X of Y": r"\bma(?:ke|kes|de|king) (?:\w+ )?(?:out of|(?<!fun )(?<!sense )(?<!use )of)\b"
    r"|\bbec(?:a|o)mes? of\b",
    "taken for": r"\bt(?:ake|akes|ook|aken|aking) (?:\w+ ){0,2}for\b(?! granted| example)",
    "is no, is none": r"(?<!there )(?<!There )\b(?:is|are|was|were|be) (?:no|none)\b"
    r"(?! longer| more than| other| matter| need| problem| different| less| better| later| earlier"
    r"| larger| smaller| faster)",
    "floating so, that, it": rf"{START}(?-i:So|That|Thus|Then|Such)"
    r" (?:is|are|was|does|do|has|can)\b",
    "inverted": rf"{START}(?-i:Of|Beside|Behind|Likewise|Nor|Neither|There stands?|Here stands?)\b"
    rf"|{START}(?-i:Only|Never|Once|Not) (?:then|so|now|there|here|if|when|with)\b",
    "nobody, somebody": r"\b(?:nobody|somebody|anybody)\b",
    "goes on": r"\b(?:goes|go|went|going|gone) on\b(?! (?:to|the|a|GitHub))",
    "of its own": r"\bof (?:its|their|his|her|one's|my) own\b",
    "how many has": r"\b(?-i:How many|Which|How much) (?:\w+ ){1,3}(?:has|have)\b(?! been| to)",
    "archaic": r"\b(?:for ever|shall|whereof|therein|thereby|whither|thereof|at the most"
    r"|at the least|any more|as it were|needs? not|had better not|it is so|no matter)\b",
    "as far as": r"\bas (?:far|long) as\b",
    "by turns, at last": r"\bby turns\b|\bat last\b|\bone (?:after|by|behind) the other\b",
    "gives, is told": rf"{START}(?-i:Give|Gives)\b|\bis (?:told|said) (?:so|that|by|of|about)\b"
    r"|\bis asked for\b",
}
_PATTERNS: Final = {habit: re.compile(found, re.I | re.M) for habit, found in HABITS.items()}


class Text(NamedTuple):
    """Words that a person reads, and the line on which they begin."""

    line: int
    text: str


class Place(NamedTuple):
    """A construction, and where it is."""

    line: int
    habit: str
    words: str


def texts_of_python(source: str) -> Iterator[Text]:
    """Yield the docstrings, comments and messages of a module.

    A message is a string with at least three words; what an f-string computes is left out.
    """
    joined: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if joined and joined[-1].end[0] + 1 < token.start[0]:
                yield _comment(joined)
                joined = []
            joined.append(token)
    if joined:
        yield _comment(joined)
    inner: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inner.update(node.values)
            words = " x ".join(
                value.value
                for value in node.values
                if isinstance(value, ast.Constant) and isinstance(value.value, str)
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            words = node.value
        else:
            continue
        words = re.sub(r"^ *>>> .*\n(?: *\S.*\n)*", "\n", words, flags=re.M)
        words = re.sub(r"^(?: {4,}|\t).*[|=(<].*$", "", words, flags=re.M)  # grammars and code
        if len(re.findall(r"\b[A-Za-z']{2,}\b", words)) >= 3 and not re.search(
            r"[{}<>;]\s*\n", words
        ):
            yield Text(node.lineno, words)


def _comment(tokens: list[tokenize.TokenInfo]) -> Text:
    return Text(tokens[0].start[0], " ".join(one.string.lstrip("#: ") for one in tokens))


def texts_of_markdown(source: str) -> Iterator[Text]:
    """Yield the text of a Markdown page without code, links, HTML and tables that are made."""
    plain = re.sub(
        r"^(```|~~~).*?^\1|^---\n.*?^---$|^<!-- made: \w+ -->.*?^<!-- end -->$",
        lambda found: "\n" * found[0].count("\n"),
        source,
        flags=re.M | re.S,
    )
    plain = re.sub(r"`[^`\n]*`", "x", plain)
    plain = re.sub(r"\]\([^)]*\)|<[^>]*>|^ {4}.*$|^\(.*\)=$", "", plain, flags=re.M)
    line = 1
    for block in re.split(r"(\n\s*\n)", plain):
        if block.strip():
            yield Text(line, block)
        line += block.count("\n")


def texts_of(path: Path) -> Iterator[Text]:
    """Yield what a person reads in a file."""
    source = path.read_text(encoding="utf-8")
    yield from texts_of_markdown(source) if path.suffix == ".md" else texts_of_python(source)


def places_in(text: Text) -> Iterator[Place]:
    """Yield each tell-tale construction of a text."""
    words = " ".join(text.text.split())
    for habit, pattern in _PATTERNS.items():
        for found in pattern.finditer(words):
            before, after = max(found.start() - 25, 0), found.end() + 30
            yield Place(text.line, habit, words[before:after])


def count_words(texts: Iterable[Text]) -> int:
    """Count the words of texts."""
    return sum(len(re.findall(r"[^\W\d_][\w'-]*", text.text)) for text in texts)


def files_in(place: Path) -> list[Path]:
    """Return the Python and Markdown files in a folder, or the file itself."""
    if place.is_file():
        return [place]
    found = [*place.rglob("*.py"), *place.rglob("*.md")]
    return sorted(found)


def rate(files: Iterable[Path]) -> tuple[float, list[tuple[Path, Place]]]:
    """Return how many constructions there are in 1,000 words of the files, and each of them."""
    words, found = 0, []
    for file in files:
        texts = [*texts_of(file)]
        words += count_words(texts)
        found += [(file, place) for text in texts for place in places_in(text)]
    return 1000 * len(found) / max(words, 1), found


def main(arguments: list[str]) -> None:
    """Print the constructions in the files and folders named, by default in kvlib."""
    files = [file for name in arguments or [str(ROOT / "kvlib")] for file in files_in(Path(name))]
    figure, found = rate(files)
    for file, place in found:
        print(f"{file}:{place.line}: {place.habit}: …{place.words}…")
    print(f"{len(found)} in {len(files)} files: {figure:.1f} in 1,000 words")


if __name__ == "__main__":
    main(sys.argv[1:])
