"""The command line: `kvlib dump`, `check`, `compact`, `backup`, `salvage` and `notebooks`."""
