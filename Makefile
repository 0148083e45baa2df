# `make demo` shows the main job; `make test` runs the whole suite. Both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test bench check lint types imports proto proto-check format clean

$(VENV)/.demo: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/python examples/quickstart/demo.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 4 --dist worksteal $(PYTEST_ARGS)

# Measures and prints; never fails for being slow. Not part of the suite: its files are no test_*.py.
bench: $(VENV)/.dev
	$(BIN)/python -m pytest -q --capture=no $(wildcard tests/benchmarks/bench_*.py)

check: lint types imports proto-check

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

proto-check: $(VENV)/.dev
	cd proto && ../$(BIN)/buf lint
	cd proto && ../$(BIN)/buf breaking . --path aetherv --against baseline.binpb
	$(BIN)/python proto/generate.py --check

proto: $(VENV)/.dev
	$(BIN)/python proto/generate.py

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .demo .mypy_cache .ruff_cache .pytest_cache dist build
