"""The exercises: a module each, in a package for each notebook.

A module ends in its `EXERCISE`, which is data; above it stand the wrong answers that people give,
each beside the sentence that helps. They are named after what went wrong, each is wrong in one way,
and comes to an end. Where that gets long, they have a module of their own: `recover_mistakes`
beside `recover`. The solutions are in `kvlib.lessons.solutions`, as one would write them in a cell.

A spine has exactly three exercises, of the kinds predict, function and order, and the notebooks'
tests hold it to that. So a new exercise goes into a Workshop. Who adds one:

1. writes such a module, and names it in its package's `EXERCISES`, in the notebook's order;
2. puts the clear version into `kvlib.lessons.solutions`;
3. puts two right answers in other styles into `RIGHT`, which is in `tests/helpers`: in
   `right_answers.py` for notebook 1, in `right_segments.py` for 2 and `right_log.py` for 3;
4. gives the notebook a cell that introduces it, and below that the code cells `<name>-stub`, with
   the `stub`, and `<name>-check`;
5. adds its `objective` to the list "Afterwards you can" at the top of the Workshop, with its
   minutes, and a question "Can you <objective>?" under "Check yourself" at its end;
6. adds its minutes, and one for the question, to those in the Workshop's heading;
7. runs `make notebooks`, and then `.venv/bin/python -m kvlib.classroom guide docs/teaching.md`;
8. runs `make test`, where some tests count the exercises.

A mistake that a class makes is one more of a module's mistakes; then the guide (7) and the tests.
"""
