# The book and its tests. Needs Python 3.11 to 3.13 and make; the rest goes into .venv.
#     make book                      the HTML pages, from the stored outputs
#     make test                      every test, all notebooks included
#     make PYTHON=python3.12 book    with a Python of your choice

PYTHON ?=
NOTEBOOKS ?=
BUILD_OPTIONS ?=
VERSIONS ?=
VERSION ?=
NAME ?=
ASSIGNMENT ?=
SUBMISSIONS ?=
VARIANT ?=
PORTABLE ?=
LIMIT ?= 180
PREPARE ?=

BIN := .venv/bin
# What builds the pages is installed alone first: readers need no TensorFlow.
BOOK_INSTALLED := .venv/.book
INSTALLED := .venv/.installed
# All packages are pinned, so that pip has nothing to resolve.
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-deps --quiet
# Tests run two at a time. Threads of BLAS would spin while they wait for each other's cores.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile
# The printed numbers must not depend on the machine: PORTABLE=1 runs without AVX2 and threads.
OTHER_CPU := XLA_FLAGS=--xla_cpu_max_isa=AVX TF_ENABLE_ONEDNN_OPTS=0 TF_NUM_INTRAOP_THREADS=1
NBVAL := $(PYTEST) --nbval --nbval-current-env book

.PHONY: help book test test-units test-notebooks test-portable frameworks lint refresh reference benchmark clean \
    repository set-up-cells test-versions test-claims test-pins test-links release environment chapter \
    assignments grade test-grading quizzes playground test-pages pdf lighthouse

help:
	@echo "make book            build the HTML pages from the stored outputs"
	@echo "make test            run all tests: of lossutils, of the pages, and every notebook"
	@echo "make environment     install all that notebooks and tests need, and stop"
	@echo "make test-portable   run every notebook with other CPU instructions and one thread"
	@echo "make test-versions   run tests and notebooks on Colab's, the oldest, the newest versions"
	@echo "make test-claims     repeat on new data what the chapters conclude"
	@echo "make test-pins       ask the index of packages for a wheel of each pin on each system"
	@echo "make test-links      follow the links to other sites"
	@echo "make test-pages      read the pages in a browser, as a reader does"
	@echo "make pdf             print the book as one PDF"
	@echo "make lighthouse      measure how fast a phone has the pages"
	@echo "make frameworks      install PyTorch and optax, which some tests compare with"
	@echo "make lint            check the style of the code"
	@echo "make refresh         re-run and store all notebooks, or NOTEBOOKS=book/…/one.ipynb"
	@echo "make chapter         write the skeleton of a chapter: NAME=regression/log_cosh"
	@echo "make playground      write texts and pictures of the playground from lossutils"
	@echo "make reference       write the reference of the losses and of the package"
	@echo "make repository      set the address of the repository: URL=https://…, or URL= to unset it"
	@echo "make set-up-cells    bring the set-up cells of all notebooks up to date, without running them"
	@echo "make release         check and tag VERSION=0.2.0; first with PREPARE=1, which writes it"
	@echo "make quizzes         write the quiz of each part from tools/quizzes.yml"
	@echo "make assignments     write the assignments for students; VARIANT=word draws other numbers"
	@echo "make grade           grade notebooks: ASSIGNMENT=regression_losses SUBMISSIONS=folder"
	@echo "make test-grading    grade hostile submissions: about six minutes; needs bubblewrap"
	@echo "make benchmark       measure what README.md says about speed"
	@echo "make clean           remove what was built (.venv stays)"

book: $(BOOK_INSTALLED)
	@$(BIN)/python tools/book.py $(BUILD_OPTIONS)

test: test-units test-notebooks

test-units: $(INSTALLED)
	@echo "Testing lossutils, the structure of the notebooks and the rendered pages: about twenty"
	@echo "minutes on two cores. (make test-notebooks then runs every notebook: about fifteen.)"
	@$(PYTEST) -rs --mpl --cov=lossutils --cov-fail-under=95 \
	    --cov-report=term-missing:skip-covered --ignore=tests/claims --ignore=tests/browser tests

test-notebooks: $(INSTALLED)
	@echo "Running every notebook and comparing each output with the stored one: about fifteen minutes"
	@echo "on two cores. At the end stands how long each took."
	@$(if $(PORTABLE),$(OTHER_CPU)) $(NBVAL)

test-portable:
	@$(MAKE) test-notebooks PORTABLE=1

# Other versions of Keras, TensorFlow and the rest: VERSIONS="colab floor", or all without it.
test-versions: $(INSTALLED)
	@echo "Testing on other versions, each in an environment of its own in .versions (2 GB): about"
	@echo "half an hour each on two idle cores."
	@$(BIN)/python tools/versions.py $(VERSIONS)

# Central conclusions of the chapters on draws that these do not print. In the weekly run.
test-claims: $(INSTALLED)
	@echo "Repeating conclusions of the book on 20 new draws each: about five minutes."
	@$(BIN)/python -m pytest -rPs tests/claims

# Whether every pin has a wheel for each Python and system that is promised.
test-pins: $(BOOK_INSTALLED)
	@$(PIP_INSTALL) uv
	@$(BIN)/python tools/check_pins.py

# Whether the links to other sites still lead somewhere.
test-links: $(BOOK_INSTALLED)
	@$(BIN)/jupyter-book build book --config _config.yml --toc "$(CURDIR)/_toc.yml" \
	    --path-output _build/links --builder linkcheck

# Without PyTorch and optax, make test skips what compares the losses with them, and says so.
frameworks: $(INSTALLED)
	@echo "Installing the frameworks that the losses are compared with."
	@$(BIN)/python -m pip install --disable-pip-version-check --retries 0 \
	    -r requirements-frameworks.txt

lint: $(INSTALLED)
	@echo "Checking the style of the code, notebooks included."
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# In a browser: Debian's Chromium (apt-get install chromium). A page is visited once, by one worker.
test-pages: book $(INSTALLED) .venv/.pages
	@command -v chromium > /dev/null || { echo "Chromium is missing: apt-get install chromium"; exit 1; }
	@echo "Reading every page in a browser: light, dark, on a phone, on paper. About five minutes on"
	@echo "two cores."
	@$(PYTEST) tests/browser

pdf: book .venv/.pages
	@echo "Printing the book: about two minutes."
	@$(BIN)/python tools/pdf.py

lighthouse: book
	@$(BIN)/python tools/lighthouse.py

.venv/.pages: $(BOOK_INSTALLED) requirements-pages.txt
	@$(PIP_INSTALL) -r requirements-pages.txt
	@touch $@

refresh: $(INSTALLED)
	@echo "Running notebooks from an empty folder and storing them."
	@$(BIN)/python tools/refresh.py $(NOTEBOOKS)

playground: $(INSTALLED)
	@echo "Writing what the playground reads: texts, findings of the checker, and pictures."
	@$(BIN)/python tools/playground.py

reference: $(INSTALLED)
	@echo "Writing the reference: the losses from the catalogue, the package from its docstrings."
	@$(BIN)/python tools/reference.py
	@$(BIN)/python tools/api.py

# With an address, notebooks start anywhere, and pages have their buttons.
repository: $(BOOK_INSTALLED)
ifeq ($(origin URL),undefined)
	@echo "Name the address: make repository URL=https://github.com/OWNER/NAME"
	@echo "An empty one unsets it: make repository URL="
	@exit 1
else
	@$(BIN)/python tools/set_repository.py "$(URL)"
endif

set-up-cells: $(BOOK_INSTALLED)
	@$(BIN)/python tools/set_up_cells.py

chapter: $(BOOK_INSTALLED)
	@$(BIN)/python tools/new_chapter.py "$(NAME)"

# All that a release must be, and its tag; with PREPARE=1 it writes the version and stops.
release: $(INSTALLED)
	@$(BIN)/python tools/release.py "$(VERSION)" $(if $(PREPARE),--prepare)

benchmark: $(INSTALLED)
	@$(BIN)/python benchmarks/speed.py
	@$(BIN)/python benchmarks/checks.py

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*

environment: $(INSTALLED)

# Once, and again when the pins or the package change, or when a Python is named.
ifneq ($(PYTHON),)
.PHONY: $(BOOK_INSTALLED) $(INSTALLED)
endif

$(BOOK_INSTALLED): requirements-book.txt
	@sh tools/make_environment.sh "$(PYTHON)"
	@echo "Installing what builds the pages: about 450 MB, half a minute the first time."
	@$(PIP_INSTALL) -r requirements-book.txt
	@touch $@

$(INSTALLED): $(BOOK_INSTALLED) requirements.txt pyproject.toml
	@echo "Installing TensorFlow and what else the tests need: about 2 GB, a few minutes the first time."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

quizzes: $(INSTALLED)
	@echo "Writing the quiz of each part."
	@$(BIN)/python tools/quizzes.py

assignments: $(INSTALLED)
	@echo "Writing the student versions of the assignments."
	@$(BIN)/python tools/assignments.py --variant "$(VARIANT)"

# Submissions are graded in an environment of their own, each in a sandbox.
GRADES = _build/grades/$(ASSIGNMENT)

grade: $(INSTALLED) .venv-grading/.installed
	@$(BIN)/python tools/assignments.py --variant "$(VARIANT)" --release "$(ASSIGNMENT)" \
	    --to "$(GRADES)/release.ipynb"
	@PYTHONPATH=tools .venv-grading/bin/python -m grading "$(GRADES)/release.ipynb" \
	    "$(SUBMISSIONS)" "$(GRADES)" --python $(BIN)/python --seconds "$(LIMIT)" \
	    --others $(notdir $(basename $(wildcard assignments/*.ipynb)))

test-grading: $(INSTALLED) .venv-grading/.installed
	@echo "Grading careless and hostile submissions in their sandboxes: about six minutes."
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/grading/hostile.py

.venv-grading/.installed: requirements-grading.txt
	@echo "Installing the grader into .venv-grading: a minute, once."
	@$(BIN)/python -m venv --clear .venv-grading
	@echo "*" > .venv-grading/.gitignore
	@.venv-grading/bin/python -m pip install --disable-pip-version-check --quiet --no-deps \
	    -r requirements-grading.txt
	@touch $@
