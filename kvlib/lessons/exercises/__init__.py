"""The exercises: a module each, in a package for each notebook.

A module ends in its `EXERCISE`, which is data; above it stand the wrong answers that people give,
each beside the sentence that helps. They are named after what went wrong, each is wrong in one way,
and comes to an end. Where that gets long, they have a module of their own: `recover_mistakes`
beside `recover`. The solutions are in `kvlib.lessons.solutions`, as one would write them in a cell.

Who adds an exercise writes such a module, names it in its package's `EXERCISES`, and gives the
notebook its two cells. The tests then ask for two right answers in other styles.
"""
