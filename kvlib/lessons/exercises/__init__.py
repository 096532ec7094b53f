"""The exercises: one module each, in one package per notebook.

A module's docstring has the texts: the name and the objective, the task, three hints, and the point
to remember. Below are the solution, written as you would write it in a cell, and the `EXERCISE`:
its cases, and what wrong results tell about their cause. Notebooks, hints, solutions and the
teacher's editions are made from it.

A spine has exactly three exercises, among them a prediction and code. The tests of the notebooks
enforce that. So a new exercise goes into a Workshop. To add one:

1. write its module, and add it to its package's `EXERCISES`, in the notebook's order;
2. add two right answers in other styles to `RIGHT` in `tests/helpers`, and at least five wrong ones
   to `tests/lessons/wrong`: substitutions in the solution, each with words that the feedback must
   contain because they name the mistake;
3. give the notebook's source a line `{{exercise NAME}}`, followed by two empty code cells,
   `NAME-stub` and `NAME-check`;
4. add the name to the Workshop's `{{objectives ...}}`, and a question "Can you {{objective NAME}}?"
   to "Check yourself" at its end;
5. change the minutes in the Workshop's heading: the tests say how many there are;
6. run `make notebooks` and `make guide`, then `make test`, where some tests count the exercises.

If a class keeps making a mistake that the check doesn't name, add it to `tests/lessons/wrong`
first. Then give the case that shows it a sign, or the format a relation.
"""
