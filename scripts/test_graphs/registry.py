"""The list that the cases of graphs that can be imported put themselves on.

A case is a function that builds a graph; its name is the file's, its docstring says what it tests.
"""

from collections.abc import Callable

from test_graphs.builder import Graph

Case = Callable[[Graph], None]

CASES: list[Case] = []
INEXACT: set[str] = set()
ONE_OPINION: set[str] = set()
OPTIONS: dict[str, dict] = {}


def case(function: Case) -> Case:
    """Adds a case."""
    CASES.append(function)
    return function


def inexact(function: Case) -> Case:
    """Marks a case whose outputs are compared with a tolerance: they may differ in the last bits."""
    INEXACT.add(function.__name__)
    return function


def one_opinion(function: Case) -> Case:
    """Marks a case that the reference evaluator cannot run."""
    ONE_OPINION.add(function.__name__)
    return function


def option(**options) -> Callable[[Case], Case]:
    """Gives a case import options."""

    def mark(function: Case) -> Case:
        OPTIONS[function.__name__] = options
        return function

    return mark
