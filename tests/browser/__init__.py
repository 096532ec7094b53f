"""The notebooks in a real browser; `make browser` runs these tests, and `make test` does not."""
