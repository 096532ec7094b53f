"""Extract a solution's source, with its imports and helpers, so that it works in a cell alone."""

import ast
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from symtable import symtable
from typing import Any


def code_of(functions: Sequence[Callable[..., Any]]) -> str:
    """Return the functions' source, preceded by the imports and helpers that it uses."""
    module = inspect.getsource(sys.modules[functions[0].__module__])
    pieces = {node: _lines_of(module, node) for node in ast.parse(module).body}
    used = _all_used({function.__name__ for function in functions}, pieces.values())
    imports = [one for node in pieces for one in _import_of(node, used)]
    others = [
        piece
        for node, piece in pieces.items()
        if not isinstance(node, ast.Import | ast.ImportFrom) and _gives(piece) & used
    ]
    return "\n\n\n".join([*filter(None, ["\n".join(imports)]), *others])


def _all_used(names: set[str], pieces: Collection[str]) -> set[str]:
    """Return the names, those that they use, those that these use, and so on."""
    more = names.union(*(_uses(piece) for piece in pieces if _gives(piece) & names))
    return names if more == names else _all_used(more, pieces)


def _lines_of(module: str, node: ast.stmt) -> str:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return "\n".join(module.splitlines()[first - 1 : node.end_lineno])


def _gives(piece: str) -> set[str]:
    """Return the names that a statement of a module defines."""
    symbols = symtable(piece, "", "exec").get_symbols()
    return {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}


def _uses(piece: str) -> set[str]:
    """Return the names of its module that a statement uses, even deep inside a function."""
    tables = [symtable(piece, "", "exec")]
    for table in tables:
        tables += table.get_children()
    return {one.get_name() for table in tables for one in table.get_symbols() if one.is_global()}


def _import_of(node: ast.stmt, used: set[str]) -> Iterator[str]:
    """Return an import statement for only the names that are used."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [(alias, alias.asname or alias.name.partition(".")[0]) for alias in node.names]
        node.names = [alias for alias, name in names if name in used]
        if node.names:
            yield ast.unparse(node)
