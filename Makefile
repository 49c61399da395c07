# make demo                  the node, live, on a recorded bag: pictures, a GIF and a bag in out/demo
# make demo BAG=path         the same on your bag
# make demo IMAGES=folder    the same on your pictures; MODEL=name chooses another model
# make test                  everything the tests need, and the tests, WORKERS=2 files at a time
# make test COVERAGE=1       and which files of the package the tests run less than nine tenths of
# make test-slow             the tests that take longer, and those on ROS 2 Kilted
# make test-slow COVERAGE=1  and adds what they run to what make test COVERAGE=1 did
# make test-gpu              parity and speed of TensorRT, where there is a GPU with its libraries
# make test-kilted           the node's tests on ROS 2 Kilted, in .venv-kilted
# make soak MINUTES=30       the node under 30 Hz and faults: memory, latency, age, every drop
#
# All of it lives in .venv; running a target again is quick and safe.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests need torch, on the CPU. These are the versions that they are run with.
TORCH ?= torch==2.14.1 torchvision==0.29.1
# TensorRT for RTX parses and builds on a CPU; without their dependencies, which are CUDA's.
TENSORRT := tensorrt-rtx-cu13-bindings==1.7.1.116 onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0
# Its types, in a folder of their own: in the environment they would look like the library.
STUBS := tensorrt-stubs==10.13.0.35.1
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install install-test demo test test-slow test-gpu test-kilted soak clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo 'rganet_ros needs Python 3.10 or newer: make PYTHON=python3.11 ...'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $(VENV)/COLCON_IGNORE $@

# setuptools below 80, as colcon's --symlink-install wants it; editable, so that the models and the
# configuration are those of this folder.
$(VENV)/.runtime: $(VENV)/.made setup.py setup.cfg
	@echo 'Installing the runtime and ROS 2 Jazzy into $(VENV) (about a minute) ...'
	@$(PIP) 'setuptools>=64,<80' wheel
	@$(PIP) --no-build-isolation --editable '.[ros-jazzy]'
	@touch $@

$(VENV)/.test: $(VENV)/.runtime
	@echo 'Installing torch, MuJoCo and the test tools into $(VENV) (some minutes, 6 GB) ...'
	@$(PIP) $(TORCH)
	@$(PIP) --no-build-isolation --editable '.[ros-jazzy,train,sim,test]'
	@$(PIP) --no-deps $(TENSORRT)
	@$(PIP) --no-deps --upgrade --target $(VENV)/stubs $(STUBS)
	@touch $@

# MuJoCo renders without a screen through these.
RENDERING := libegl1 libegl-mesa0 libgl1-mesa-dri libosmesa6
.PHONY: rendering
rendering:
	@dpkg --status $(RENDERING) >/dev/null 2>&1 || \
	  if [ "$$(id -u)" = 0 ]; then \
	    echo 'Installing $(RENDERING) ...'; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(RENDERING) >/dev/null; \
	  else \
	    echo 'Rendering needs Debian packages: sudo apt-get install $(RENDERING)'; exit 1; \
	  fi

install: $(VENV)/.runtime
install-test: $(VENV)/.test rendering

demo: install
	@$(BIN)/rganet demo $(if $(BAG),--bag '$(BAG)') $(if $(IMAGES),--images '$(IMAGES)') $(if $(MODEL),--model '$(MODEL)') $(if $(OUT),--out '$(OUT)')

# Each worker has a ROS domain of its own; the tests of a file stay together.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
COVER := $(if $(COVERAGE),--cov --cov-report=json:out/coverage.json)
COVERED := $(if $(COVERAGE),$(BIN)/python test/covered.py out/coverage.json,true)

test: install-test
	@$(PYTEST) -m 'not slow and not gpu' $(COVER)
	@$(COVERED)

# Kilted's tests run even where a slow one fails; the exit status is of both.
test-slow: install-test
	@status=0; \
	  $(PYTEST) -m 'slow and not gpu' $(COVER) $(if $(COVER),--cov-append) || status=$$?; \
	  $(COVERED) || status=$$?; \
	  $(MAKE) --no-print-directory test-kilted || status=$$?; exit $$status

# With TensorRT and its pycuda in the environment; without a GPU it fails.
test-gpu: install-test
	@$(BIN)/python -m pytest -m gpu

# Another distribution needs another environment: their wheels bring packages of the same names.
KILTED := .venv-kilted
$(KILTED)/.made: setup.py
	@echo 'Installing ROS 2 Kilted into $(KILTED) (a minute or two) ...'
	@$(PYTHON) -m venv $(KILTED)
	@touch $(KILTED)/COLCON_IGNORE
	@$(KILTED)/bin/python -m pip install --quiet --disable-pip-version-check \
	  'setuptools>=64,<80' wheel 'pytest>=8' 'hypothesis>=6' 'onnx>=1.16'
	@$(KILTED)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --no-build-isolation --editable '.[ros-kilted]'
	@touch $@

test-kilted: $(KILTED)/.made
	@$(KILTED)/bin/python -m pytest -m 'not slow' $(patsubst %,test/node/test_%.py,node life_cycle parameters pairing lenses topics)

MINUTES ?= 30
soak: install-test
	@$(BIN)/python test/node/soak.py --minutes $(MINUTES)

clean:
	rm -rf $(VENV) $(KILTED) build install log out
