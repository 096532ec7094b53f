"""Commands for people who change kvlib: sweeps, fuzzing, benchmarks, the notebooks."""
