"""The meaning of each byte of a file: labelled regions, and their text form for a terminal.

Nothing here needs Jupyter. The command line and the pictures in `kvlib.views` are drawn from it.
"""
