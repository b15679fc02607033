# Two commands for a fresh machine: `make demo` and `make test`. The other targets are for development.

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c '$(SUPPORTED)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PORT ?= 8000
BIN := .venv/bin

.PHONY: demo demo-neural serve test test-neural test-fast fuzz soak coverage fingerprints prompts gallery chromium-pictures check bench format lock clean

demo: .venv/installed
	@$(BIN)/vivant demo

serve: .venv/installed
	@$(BIN)/vivant serve --port $(PORT)

# The order is random; SEED, as printed, repeats the order of a run that failed.
SEED ?= $(shell date +%s)
PYTEST := $(BIN)/pytest -n 2 --dist loadfile -p randomly --randomly-seed=$(SEED)

test: check
	@echo "→ Running all tests (SEED=$(SEED))"
	@$(PYTEST)
	@if $(MAKE) --no-print-directory .venv-neural/installed; then $(MAKE) --no-print-directory test-neural SEED=$(SEED); \
		else echo "→ torch cannot be installed here: the tests of the engine diffusers did not run"; fi

# The tests of the engine diffusers, in an environment of their own with torch; about three minutes. One thread for each:
# threads of torch that wait for a busy core cost more than they bring.
NEURAL := .venv-neural/bin
test-neural: .venv-neural/installed
	@echo "→ Running the tests that need torch (SEED=$(SEED))"
	@OMP_NUM_THREADS=1 $(NEURAL)/pytest -n 2 --dist worksteal -p randomly --randomly-seed=$(SEED) \
		tests/engines/diffusers tests/engines/test_conformance.py -k diffusers

# The whole path of a neural engine without a card: a service with a model of random weights. What it makes is noise.
demo-neural: .venv-neural/installed
	@PYTHONPATH=tests $(NEURAL)/python -m support.demo_neural

# Less than a minute: no test here makes frames or sound with the embedded engine.
test-fast: .venv/installed-dev
	@echo "→ Running the fast tests (SEED=$(SEED))"
	@$(PYTEST) tests/domain tests/record tests/api/dialects tests/architecture $(addprefix tests/engines/diorama/,script timing)

# Prompts that nobody means well, COUNT of them from SEED (the time of day unless it is given): none may take a second
# of planning or raise.
COUNT ?= 20000
fuzz: .venv/installed-dev
	@PYTHONPATH=tests COUNT=$(COUNT) SEED=$(SEED) $(BIN)/python -m support.prompt_fuzz

# A real service under load while its log, store, database, workers, clock, callers and disks fail in turn: prints a table
# by fault and what did not hold. SEED repeats the order of the faults. As root, disks fill up too.
MINUTES ?= 60
soak: .venv/installed-dev
	@PYTHONPATH=src:tests $(BIN)/python -m support.soak --minutes $(MINUTES) --seed $(SEED)

# How well the 72 prompts of tests/apart are understood, as a table. They are kept apart: nobody tunes to them.
prompts: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -m support.prompt_score tests/apart/prompts.jsonl

# Checksums of the frames and samples of eight clips: equal before and after a change, it touched neither.
fingerprints: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -m support.fingerprints

# Clips of every motion and camera move as sheets, heat maps and one page with players, in OUT; about twenty
# minutes. ONLY="surf_* cat_blinks" renders some again. COMPARE=OLD.json prints what an earlier table.json had beside it.
# Cases: tests/support/gallery_cases.toml; what those said who looked: docs/gallery/ranks.toml.
OUT ?= build/gallery
ONLY ?=
COMPARE ?=
gallery: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -m support.gallery --out $(OUT) --only $(ONLY:%='%') $(if $(COMPARE),--compare $(COMPARE))

# Shows the pictures of tests/support/picture_files.py in the Chromium of this machine and stores what it shows.
chromium-pictures: .venv/installed-dev
	@PYTHONPATH=tests $(BIN)/python -m support.chromium

# All tests again, measured, which takes a quarter more processor time: which lines no test reached, and whether they are
# more than the floor in pyproject.toml allows.
coverage: .venv/installed-dev
	@$(PYTEST) --cov --cov-report=
	@$(BIN)/coverage report

check: .venv/installed-dev
	@echo "→ Lint and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/installed
	@$(BIN)/vivant bench clip

format: .venv/installed-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Needs uv. The locks hold hashes and no index address, for every supported Python and platform at once.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock" pyproject.toml
lock:
	$(LOCK) --group build -o requirements.lock
	$(LOCK) --group build --extra dev -o requirements-dev.lock
	$(LOCK) --group build --extra gpu -c requirements-dev.lock -o requirements-neural.lock

clean:
	rm -rf .venv .venv-neural demo.mp4 demo-neural.mp4 .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

.venv/bin/python:
	@"$(PYTHON)" -c '$(SUPPORTED)' 2>/dev/null || { echo "Vivant needs Python 3.11 to 3.14, and found none." \
		"Install one, or name it: make demo PYTHON=/path/to/python3"; exit 1; }
	@echo "→ Creating .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv .venv \
		|| { rm -rf .venv; echo "This Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	@echo "→ Installing (about 900 MB on disk, most of it wheels; a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "→ Installing with what the tests need (about 1.6 GB on disk)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@ .venv/installed

# The build of torch that suits the card, or none for a CPU; PyTorch's own pages say which index has it. On Linux the usual
# index has the one for NVIDIA's cards, some 3 GB, which runs on a CPU too.
TORCH ?= torch==2.13.0
.venv-neural/installed: requirements-neural.lock requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "→ Installing torch and diffusers into .venv-neural (some 3 GB on disk; two minutes or more)"
	@"$(PYTHON)" -m venv .venv-neural
	@$(NEURAL)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(NEURAL)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(NEURAL)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-neural.lock
	@$(NEURAL)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@
