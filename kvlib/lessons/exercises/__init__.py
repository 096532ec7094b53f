"""The exercises: one module each, in one package per notebook.

A module ends with its `EXERCISE`, which is data. Above it are the wrong answers that learners
give, each with the sentence that helps. A wrong answer is named after what goes wrong, is wrong in
one way only, and terminates. A long list of them has a module of its own: `recover_mistakes` next
to `recover`. The solutions are in `kvlib.lessons.solutions`, written as you would write them in a
cell.

A spine has exactly three exercises, of the kinds predict, function and order, and the notebooks'
tests enforce that. So a new exercise goes into a Workshop. To add one:

1. write its module, and add it to its package's `EXERCISES`, in the notebook's order;
2. add the clear version to `kvlib.lessons.solutions`;
3. add two right answers in other styles to `RIGHT` in `tests/helpers`: `right_answers.py` for
   notebook 1, `right_segments.py` for notebook 2, `right_log.py` for notebook 3;
4. give the notebook a cell that introduces the exercise, followed by the code cells `<name>-stub`
   (with the `stub`) and `<name>-check`;
5. add its `objective` and minutes to the list "Afterwards you can" at the top of the Workshop, and
   the question "Can you <objective>?" under "Check yourself" at its end;
6. add its minutes, and one more for the question, to those in the Workshop's heading;
7. run `make notebooks`, then `.venv/bin/python -m kvlib.classroom guide docs/teaching.md`;
8. run `make test`, where some tests count the exercises.

If a class keeps making a mistake that isn't here, add it to the exercise's module, then rebuild the
guide (step 7) and run the tests.
"""
