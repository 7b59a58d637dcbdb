# Every target works on a fresh clone: the environment in .venv is made first and kept up to date with the lock file.
# PYTHON chooses the interpreter (3.11 or newer), e.g. `make test PYTHON=python3.12`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Every command here starts processes: each would compile a thousand modules again where none is kept compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo serve test bench lint types audit definitions core editions campaign lock check-lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python tests/integration/clients/install.py >/dev/null
	touch $@

demo: $(STAMP)  ## code an invented fax and show the result
	@$(BIN)/fhirwright demo

serve: $(STAMP)  ## the FHIR server on http://127.0.0.1:8000/fhir, without authorization, for this machine only
	@$(BIN)/fhirwright serve --open

test: $(STAMP)  ## all tests, in two processes; ARGS="-k name" chooses some
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(STAMP)  ## CPU per request, notes and pages per second
	$(BIN)/python -m benchmarks

lint: $(STAMP)  ## style, format and the walls between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)  ## mypy, strict
	$(BIN)/mypy

audit: $(STAMP)  ## list the dependencies (SBOM), look for known faults, risky code and secrets; .ci/audit.py
	$(BIN)/python .ci/audit.py

definitions: $(STAMP)  ## compile the published R4 definitions again; needs the package, see CONTRIBUTING.md
	$(BIN)/python -m fhir_profiles.compile $(ARGS)

core: $(STAMP)  ## compile the published terminology again; needs two packages, see CONTRIBUTING.md
	$(BIN)/python -m terminology.core.compile $(ARGS)

editions: $(STAMP)  ## pack the older editions of ICD-10 again; needs three packages, see CONTRIBUTING.md
	$(BIN)/python -m terminology.icd10.compile $(ARGS)

campaign: $(STAMP)  ## a longer measurement: make campaign NAME=kill ARGS="…"; see campaigns/README.md
	@test -n "$(NAME)" || { echo "make campaign NAME=…: one of" $(basename $(notdir $(wildcard campaigns/[a-z]*.py))); exit 2; }
	$(BIN)/python -m campaigns.$(NAME) $(ARGS)

lock: $(STAMP)  ## choose versions again; nothing else changes requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --upgrade --no-emit-index-url --generate-hashes --no-header \
	  --no-annotate --quiet --python-version 3.11 --output-file requirements.lock

clean:  ## remove the environment and what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
