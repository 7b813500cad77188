# Set-up is included in all of these: `make demo`, `make suites` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Not reports/: its overview shows the committed results, and the checkout stays as it was.
REPORTS := build/reports

SUITES := road-scenes indoor-scenes cost upsampling related open-questions summed-loss longer-training

.PHONY: demo suites test lint install clean

install: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "error: $(PYTHON) is older than 3.11; name another with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install
	$(BIN)/bench run --suite decoder-variants
	$(BIN)/bench report --suite decoder-variants --profile smoke --out $(REPORTS)

# The cost suite last: its page sets costs against what the others have trained. Exit code 1 of a run is a trial that
# failed, as SegNet-Basic does on the summed loss: its page says so, and the other suites run.
suites: install
	for suite in $(filter-out cost,$(SUITES)) cost; do \
	    $(BIN)/bench run --suite $$suite || [ $$? -eq 1 ] || exit 1; \
	    $(BIN)/bench report --suite $$suite --profile smoke --out $(REPORTS) || exit 1; \
	done

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) results/*/smoke results/_panels/*/smoke results/_predictions/*/smoke reports/*/smoke $(REPORTS)
