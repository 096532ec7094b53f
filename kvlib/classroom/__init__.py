"""For teachers: editions of the notebooks, grading, and the tables of the guide."""
