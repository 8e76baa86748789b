PYTHON ?= python3
BIN = .venv/bin
STAMP = .venv/.installed
PORT ?= 8000

.PHONY: help venv demo serve test browser lint bench matrix mutations wheel clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

venv: $(STAMP) ## Make .venv with everything that the other targets need

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: try make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

demo: venv ## Show leaderboards of real results, on an embedded PostgreSQL
	$(BIN)/python -m example demo

serve: venv ## Open a site of leaderboards on http://127.0.0.1:8000/, or on PORT=…
	$(BIN)/python -m example serve --port $(PORT)

test: venv ## Run the tests
	$(BIN)/python -m pytest -n auto --dist worksteal

browser: venv ## Look at the pages of the site in Chromium, and leave pictures in screenshots/
	$(BIN)/python -m pytest tests/browser

lint: venv ## Run ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy leaderboard example tests

bench: venv ## Run all benchmarks
	$(BIN)/python -m tests.benchmarks all

matrix: venv ## Run the tests over Python, Django, PostgreSQL and driver versions
	$(BIN)/python -m tests.matrix

mutations: venv ## See that the tests find defects put into the SQL
	$(BIN)/python -m tests.mutations

wheel: venv ## Build the wheel in dist/
	$(BIN)/python -m pip wheel --disable-pip-version-check --no-deps --wheel-dir dist .

clean: ## Remove everything that the other targets made
	rm -rf .venv .matrix build dist screenshots *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
