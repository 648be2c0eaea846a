# mdacl_ros: `make` sets up .venv, `make demo` shows the node at work, `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := setup

# What may be overridden: make demo INPUT=bag OUT=folder, make PYTHON=python3.12, ...
# ROS 2 distribution whose wheels are used: kilted or jazzy (`make test DISTRO=jazzy`).
DISTRO ?= kilted
# The first Python that starts and has the distribution's wheels; those of pyenv are found as well.
PYTHONS_kilted := python3.11 python3.12 python3.13 python3
PYTHONS_jazzy := python3.12
PYENV_PYTHONS = $(foreach p,$(PYTHONS_$(DISTRO)),$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/*/bin/$(p)))
PYTHON ?= $(firstword $(foreach p,$(PYTHONS_$(DISTRO)) $(PYENV_PYTHONS),$(if $(shell $(p) -c '' 2>&1 || echo no),,$(p))))
VENV ?= .venv$(if $(filter-out kilted,$(DISTRO)),-$(DISTRO))
# URL to take torch from; empty: PyTorch's CPU index only where the usual index has a CUDA build;
# `default`: whatever the usual index has.
TORCH_INDEX ?=
INPUT ?=
OUT ?= demo_out
RATE ?=
MODEL ?=
CLIP ?=
ENGINE ?=
PRECISION ?=
CONFIG ?= config/train_small.yaml config/train_small_stage2.yaml
TRAIN ?=
BENCH ?=
PYTEST ?=
MINUTES ?= 60
FAULT_ROWS ?=

# Nothing started from here talks to, or is heard by, another machine or a neighbour's ROS.
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST
ifndef ROS_DOMAIN_ID
export ROS_DOMAIN_ID := $(shell echo $$(( 1 + $$$$ % 100 )))
endif
export TORCH_INDEX

BIN := $(VENV)/bin
READY := $(VENV)/.set_up/ready
TENSORRT_READY := $(VENV)-tensorrt/ready
RAY_READY := $(VENV)/.set_up/ray
SETUP_INPUTS := setup.py setup.cfg package.xml $(wildcard requirements/*.txt tools/*.py) \
	$(wildcard tools/vision_msgs/* tools/vision_msgs/msg/*)
DEMO_OPTIONS = $(if $(INPUT),--input "$(INPUT)") --out "$(OUT)" $(if $(RATE),--rate $(RATE)) \
	$(if $(CLIP),--clip "$(CLIP)") $(if $(ENGINE),--engine $(ENGINE)) \
	$(if $(PRECISION),--precision $(PRECISION)) $(if $(MODEL),--model "$(MODEL)")

.PHONY: setup demo test coverage test-slow test-tensorrt fault-matrix fuzz soak train bench lint format lock clean distclean help

setup: $(READY) ## Set up .venv: pinned packages, ROS 2 wheels, vision_msgs (once; again where inputs changed; DISTRO=jazzy: .venv-jazzy)

$(READY): $(SETUP_INPUTS)
	@if [ -z "$(PYTHONS_$(DISTRO))" ]; then \
	  echo "make: DISTRO=$(DISTRO): only kilted and jazzy have ROS 2 wheels" >&2; exit 1; fi
	@if [ -z "$(PYTHON)" ]; then \
	  echo "make: none of $(PYTHONS_$(DISTRO)) found; sudo apt install python3 python3-venv python3-dev, or make PYTHON=/path/to/$(firstword $(PYTHONS_$(DISTRO)))" >&2; exit 1; fi
	@command -v "$(PYTHON)" >/dev/null || { echo "make: PYTHON=$(PYTHON) is not on PATH; give one of $(PYTHONS_$(DISTRO))" >&2; exit 1; }
	@"$(PYTHON)" tools/set_up.py "$(VENV)" --distro "$(DISTRO)"
	@touch "$@"

demo: $(READY) ## Play a recording (INPUT=bag|folder, default: simulated scenes) into the node; OUT RATE CLIP MODEL ENGINE PRECISION
	@"$(BIN)/mdacl" demo $(DEMO_OPTIONS)

test: $(READY) ## Run the fast tests, two processes at once (PYTEST="-k thermal" passes options on)
	@"$(BIN)/python" -m pytest -n 2 $(PYTEST)

coverage: $(READY) ## The same with a coverage summary, which takes half as long again
	@"$(BIN)/python" -m pytest -n 2 --cov --cov-report=term:skip-covered $(PYTEST)

test-slow: $(READY) $(RAY_READY) ## Run the slow tests: trainings of the ablation, INT8 builds, recordings twice (CI runs them too)
	@"$(BIN)/python" -m pytest -n 2 -m slow --timeout=1800 $(PYTEST)

$(RAY_READY): $(READY)
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check ray==2.60.0
	@touch "$@"

test-tensorrt: $(TENSORRT_READY) ## Build TensorRT engines on the CPU, in .venv-tensorrt (100 MB once; 10 minutes; x86_64, Python 3.11)
	@"$(VENV)-tensorrt/bin/python" -m pytest -m tensorrt --timeout=1800 -p no:cacheprovider test/runtime $(PYTEST)
	@"$(VENV)-tensorrt/bin/python" research/benchmarks/tensorrt_coverage.py --precision float32 fp16 int8

$(TENSORRT_READY): $(READY) tools/tensorrt-py3.11.txt tools/set_up_tensorrt.py
	@"$(BIN)/python" tools/set_up_tensorrt.py "$(VENV)-tensorrt"
	@touch "$@"

fault-matrix: $(READY) ## Try every camera fault on real processes and write docs/fault_matrix.md (10 minutes; FAULT_ROWS="rgb drop": those rows alone, printed)
	@$(if $(FAULT_ROWS),FAULT_ROWS="$(FAULT_ROWS)",WRITE_FAULT_MATRIX=1) "$(BIN)/python" -m pytest test/nodes/matrix -m matrix --timeout=900 \
	  -k $(if $(FAULT_ROWS),some_rows -s,whole_matrix) $(PYTEST)

fuzz: $(READY) ## Feed 270,000 malformed inputs to decoders, loaders and a live node (10 to 30 minutes)
	@MDACL_FUZZ=10000 "$(BIN)/python" -m pytest test/fuzz --timeout=7200 $(PYTEST)

soak: $(READY) ## Run an hour with a fault every ten seconds (MINUTES=60)
	@"$(BIN)/python" research/benchmarks/soak.py --minutes $(MINUTES)

train: $(READY) ## Train, or continue, the shipped detector (CONFIG=file.yaml, TRAIN="--data folder" passes options on)
	@for config in $(CONFIG); do "$(BIN)/mdacl" train "$$config" $(TRAIN) || exit 1; done

bench: $(READY) ## Measure the engines on this machine (BENCH="..." passes options on)
	@"$(BIN)/mdacl" bench $(BENCH)

lint: $(READY) ## Check formatting, lint, types, who imports whom, and the words of texts for users
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/ruff" check .
	@"$(BIN)/mypy"
	@"$(BIN)/lint-imports"
	@"$(BIN)/python" tools/check_words.py

format: $(READY) ## Format the code and fix what ruff can
	@"$(BIN)/ruff" format .
	@"$(BIN)/ruff" check --fix .

lock: $(READY) ## Resolve the requirements into the lock file of this DISTRO and Python
	@"$(BIN)/python" tools/lock_requirements.py --distro "$(DISTRO)"

clean: ## Remove what the other targets made, but no .venv
	@rm -rf build install log dist demo_out .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv*/*' -prune -exec rm -rf {} +

distclean: clean ## Remove .venv as well (DISTRO=jazzy: .venv-jazzy)
	@rm -rf "$(VENV)" "$(VENV)-tensorrt" mdacl_ros.egg-info

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
