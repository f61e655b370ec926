# Two commands for newcomers: `make serve` and `make test`. Everything else is for people who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help serve demo test test-redis test-validator test-outside mutants prove faults lint types imports schema program web client bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Chorale needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Chorale's packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.lock
	@touch $@

serve: $(VENV)/.runtime ## start everything embedded, with demo data, and print the GraphiQL address
	@exec $(BIN)/python -m chorale serve

demo: $(VENV)/.runtime ## add demo data: make demo SIZE=200
	@$(BIN)/python -m chorale demo --size $(or $(SIZE),100)

test: $(VENV)/.dev ## the suite that needs Python alone; what needs Redis, Node or the validator is skipped by name
	@$(BIN)/python -m pytest $(ARGS)

test-redis: $(VENV)/.dev ## the contract suites against a real Redis
	@$(BIN)/python -m pytest tests/contract -k redis $(ARGS)

test-validator: $(VENV)/.dev ## the contract suite and the whole flow on the real Solana test validator
	@$(BIN)/python -m pytest -m validator $(ARGS)

test-outside: $(VENV)/.dev ## outside clients (solana-py, @solana/kit) and the TypeScript client against the embedded chain
	@cd web/client && npm ci --silent
	@cd tests/outside && npm ci --silent
	@$(BIN)/python -m pytest tests/outside $(ARGS)

mutants: $(VENV)/.dev ## sabotage every check of the program: make mutants ARGS="--quick", or "--only cast_vote --jobs 2"
	@$(BIN)/python -m tests.mutants $(ARGS)

prove: $(VENV)/.dev ## the program beside its model: make prove STEPS=100000 SEED=1, or one WORLD of it
	@$(BIN)/python -m tests.prove --steps $(or $(STEPS),100000) --seed $(or $(SEED),1) $(if $(WORLD),--world $(WORLD))

faults: $(VENV)/.dev ## break everything on purpose: make faults ARGS="--kills 20 --seed 1 --only kills --cache redis"
	@$(BIN)/python -m tests.faults $(ARGS)

lint: $(VENV)/.dev imports types ## ruff, import contract, strict types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

imports: $(VENV)/.dev
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/house/top_level_names.py

types: $(VENV)/.dev
	@$(BIN)/mypy

schema: $(VENV)/.runtime ## write schema.graphql
	@$(BIN)/python -m chorale export-schema

program: ## rebuild the on-chain program with Debian's toolchain
	@programs/build

web: ## rebuild GraphiQL's assets
	@cd web/graphiql && npm ci --silent && npm run --silent build

client: $(VENV)/.dev ## write the IDLs, generate the TypeScript client from them, and test it
	@$(BIN)/python -m programs.idl
	@cd web/client && npm ci --silent && npm run --silent generate && npm test

bench: $(VENV)/.dev ## side-by-side benchmarks; writes nothing, prints tables
	@$(BIN)/python -m bench

clean: ## remove the environment and the data of `make serve`
	@rm -rf $(VENV) .chorale
