# The two commands are `make lab` and `make test`; `make help` lists the others.
#
# Everything is installed into .venv, from the versions in constraints.txt, and nothing outside this
# folder is changed. Plain make, as old as macOS has it (3.81).

# Another Python: make lab PYTHON=python3.13
PYTHON ?= python3
# More options for JupyterLab: make lab LAB_ARGS=--port=9000
LAB_ARGS ?=
# The browser that make browser drives.
CHROMIUM ?= $(firstword $(shell command -v chromium || command -v chromium-browser || \
	command -v google-chrome))
BROWSER_ARGS ?=
# The notebook that make notebooks builds; all if you don't say: make notebooks NOTEBOOK=03_log
NOTEBOOK ?=
# A teacher's own hidden tests: make classroom OVERLAY=my-tests
OVERLAY ?=
# How many tests run side by side in make test.
JOBS ?= 2
# How long each part of make fuzz takes; with INPUTS the first one takes as long as it needs.
SECONDS ?= 60
INPUTS ?=
FUZZ_ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
# Made last, so that an interrupted set-up is done again: what a learner needs, and what a developer
# needs besides.
LAB_READY := $(VENV)/lab-ready
READY := $(VENV)/ready
PIP = $(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Jupyter and IPython keep their settings in the environment too: they neither read the ones in
# your home (start-up files, kernels of other Pythons) nor write there.
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_CONFIG_DIR := $(CURDIR)/$(VENV)/jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/$(VENV)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/$(VENV)/jupyter/runtime
export IPYTHONDIR := $(CURDIR)/$(VENV)/jupyter/ipython
# Packages of another Python must not get in, and an environment that is active elsewhere is not this
# one: IPython warns of it, and the tests make errors of warnings.
unexport PYTHONHOME
unexport PYTHONPATH
unexport VIRTUAL_ENV

# No question about news and no look for updates: nothing is downloaded while the notebooks run.
QUIET := {"@jupyterlab/apputils-extension:notification": \
	{"checkForUpdates": false, "doNotDisturbMode": false, "fetchNews": "false"}}

.PHONY: help lab lab-dev test chromium browser pictures bench classroom classroom-check fuzz \
	notebooks sources goldens crash clean
.DELETE_ON_ERROR:

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*##/make \1:/p' Makefile | \
		while IFS=: read -r name text; do printf '%-20s%s\n' "$$name" "$$text"; done

# ---------------------------------------------------------------------------------------- set-up

# Its Python may vanish with an upgrade of the system; then this link leads nowhere, and is made again.
$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "kvlib needs Python 3.11 or newer, and \`$(PYTHON)\` is not." \
			"If you have one by another name, say so: make lab PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "This Python comes without its venv module." \
			"On Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(LAB_READY): $(RUN) pyproject.toml constraints.txt
	@echo "Installing what the notebooks need into $(VENV) (about a minute, once)"
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip
	@$(PIP) -e '.[notebooks]'
	@mkdir -p $(VENV)/share/jupyter/lab/settings $(VENV)/jupyter
	@echo '$(QUIET)' > $(VENV)/share/jupyter/lab/settings/overrides.json
	@touch $@

$(READY): $(LAB_READY)
	@echo "Installing what the tests need besides"
	@$(PIP) -e '.[dev]'
	@touch $@

# ------------------------------------------------------------------------------------------- lab

lab: $(LAB_READY)  ## read and run the notebooks: copies them to my-notebooks/, opens the first in JupyterLab
	@$(RUN) -m kvlib notebooks my-notebooks
	@$(call open_lab,my-notebooks)

# A source is opened with a right click: Open With, Notebook.
lab-dev: $(READY)  ## edit the notebooks: opens JupyterLab in notebooks/; edit source/*.md, then make notebooks
	@$(call open_lab,notebooks)

# It opens on the first notebook, not on a page of launchers. Without a display (macOS always has
# one) no browser is looked for; the address is printed in any case. Root has to say that it knows. The last three options: no list of extensions is fetched, no
# language servers are searched for, and nothing is printed that a learner need not read.
define open_lab
	set -- $(1) --LabApp.default_url=/lab/tree/01_encode.ipynb --LabApp.extension_manager=readonly --LanguageServerManager.autodetect=False \
		--log-level=WARN; \
	if [ "$$(uname)" != Darwin ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		set -- "$$@" --no-browser; fi; \
	if [ "$$(id -u)" = 0 ]; then set -- "$$@" --allow-root; fi; \
	echo "Starting JupyterLab in $(1)/. It runs until you press Ctrl-C twice in this window."; \
	exec $(RUN) -m jupyterlab "$$@" $(LAB_ARGS)
endef

# ------------------------------------------------------------------------------------------ test

test: $(READY)  ## check everything: lint, types, tests with coverage, notebooks
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(RUN) -m pytest -m "not untraced" --cov --numprocesses=$(JOBS) --dist=worksteal
	$(RUN) -m pytest -m untraced --numprocesses=$(JOBS) --dist=worksteal
	@# In a copy: what the notebooks write belongs beside them, and not in this repository.
	@rm -rf build/notebooks && mkdir -p build && cp -R notebooks build/
	@# One after another: two kernels that start at once may choose the same port.
	$(RUN) -m pytest --nbval --nbval-current-env --nbval-cell-timeout=60 build/notebooks

$(VENV)/browser-ready: $(READY)
	@$(PIP) -e '.[browser]'
	@touch $@

chromium:
	@command -v "$(CHROMIUM)" >/dev/null || { \
		echo "make $(or $(MAKECMDGOALS),browser) needs Chromium, and there is none." \
			"On Debian: apt install chromium." \
			"If it has another name, say so: CHROMIUM=/where/it/is" >&2; \
		exit 1; }

browser: chromium $(VENV)/browser-ready  ## run the notebooks in Chromium, and judge what they show; pictures go to build/browser
	CHROMIUM="$(CHROMIUM)" $(RUN) -m pytest tests/browser $(BROWSER_ARGS)

pictures: chromium $(VENV)/browser-ready  ## draw each picture anew for docs/pictures: as SVG, and in four forms
	CHROMIUM="$(CHROMIUM)" PYTHONPATH=tests $(RUN) -m browser.pictures

bench: chromium $(VENV)/browser-ready  ## measure the views and the store; the figures go to build/bench.json
	CHROMIUM="$(CHROMIUM)" PYTHONPATH=tests $(RUN) -m tools.bench $(BENCH_ARGS)

$(VENV)/classroom-ready: $(READY)
	@$(PIP) -e '.[classroom]'
	@touch $@

classroom: $(VENV)/classroom-ready  ## make the teacher's editions, see docs/teaching.md: OVERLAY=FOLDER
	$(RUN) -m kvlib.classroom editions notebooks build/classroom $(if $(OVERLAY),--overlay="$(OVERLAY)")

classroom-check: $(VENV)/classroom-ready  ## let nbgrader grade a class that we know
	$(RUN) -m pytest tests/nbgrader

notebooks: $(READY)  ## build the notebooks from notebooks/source/*.md; NOTEBOOK=03_log builds one
	PYTHONPATH=tests $(RUN) -m tools.notebooks $(if $(NOTEBOOK),notebooks/$(NOTEBOOK).ipynb)

sources: $(READY)  ## the other way: write notebooks/source/*.md from notebooks edited in JupyterLab
	PYTHONPATH=tests $(RUN) -m tools.notebooks --sources $(if $(NOTEBOOK),notebooks/$(NOTEBOOK).ipynb)

guide: $(READY)  ## renew the tables in docs/teaching.md
	PYTHONPATH=tests $(RUN) -m tools.guide

goldens: $(READY)  ## rewrite the texts that the views and dumps are compared with
	for module in layout.test_text views.test_crash views.test_flips views.test_steps; do \
		PYTHONPATH=tests $(RUN) -m $$module || exit 1; done

crash: $(READY)  ## cut the power at every moment, in every way; a table goes to build/crash.json
	PYTHONPATH=tests $(RUN) -m tools.crash_sweep $(CRASH_ARGS)

# Its second part needs atheris, which there is not for every system and Python.
$(VENV)/fuzz-ready: $(READY)
	@$(PIP) -e '.[fuzz]'
	@touch $@

fuzz: $(VENV)/fuzz-ready  ## feed hostile bytes to all that reads: SECONDS=60, or INPUTS=10000000
	PYTHONPATH=tests $(RUN) -m tools.fuzz --seconds=$(SECONDS) $(if $(INPUTS),--inputs=$(INPUTS)) $(FUZZ_ARGS)

clean:  ## remove all that these commands made, but my-notebooks/
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find kvlib tests notebooks \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune \
		-exec rm -rf {} +
