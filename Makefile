# Every target uses its own virtual environment in .venv; nothing else on the machine changes.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test lint types bench soak charts docs site screenshot lock image image-context dist clean

demo: .venv/.run
	@rm -rf build/demo
	@mkdir -p build/demo
	$(BIN)/halgit render --repo sample-repo --overlay prod --secrets mask --out build/demo/.hal
	@echo
	@cd build/demo && find .hal -type f | LC_ALL=C sort
	@echo
	$(BIN)/halgit explain --repo sample-repo --overlay prod \
	  'config:deploymentConfigurations[name=default].providers.kubernetes.accounts[name=spinnaker].cacheThreads'

test: $(STAMP)
	$(BIN)/python -m pytest -q -n auto

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

# Writes the tables of README.md and bench/README.md; takes about 25 minutes.
bench: $(STAMP)
	$(BIN)/python bench/run.py --write

soak: $(STAMP)
	nice $(BIN)/python scripts/soak.py --write
	nice $(BIN)/python bench/accounts.py --write
	SOAK=200 $(BIN)/python -m pytest -q -s tests/sync/test_whole_loop.py tests/sync/test_loop.py

charts: .venv/.run
	$(BIN)/python scripts/package_charts.py dist/charts

docs: $(STAMP)
	$(BIN)/halgit rules --format markdown > docs/rules.md
	$(BIN)/python scripts/command_reference.py > docs/commands.md
	$(BIN)/python scripts/terminal_pictures.py

# The documentation site in build/site; a broken link is an error.
site: $(STAMP)
	$(BIN)/mkdocs build --strict --quiet

# Takes the screenshots of the page of `halgit overlays` and of the page of accounts; needs chromium.
screenshot: $(STAMP)
	$(BIN)/halgit overlays --repo sample-repo --format html --output build/overlays.html
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1000 \
	  --screenshot=docs/images/overlays.png "file://$(CURDIR)/build/overlays.html"
	SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/accounts/test_page.py

# Refreshes the locked dependencies of the image.
lock: $(STAMP)
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --all-extras --universal --generate-hashes \
	  --python-version 3.11 --no-header --output-file requirements.lock

image: $(STAMP)
	PYTHON=$(BIN)/python scripts/make_image.sh

image-context: $(STAMP)
	PYTHON=$(BIN)/python scripts/make_image.sh --context

# Wheel, sdist, charts, image, SBOM and checksums in dist/; the same commit gives the same bytes.
dist: $(STAMP)
	PYTHON=$(BIN)/python scripts/make_dist.sh

clean:
	rm -rf build dist .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

.venv/.run: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(STAMP): .venv/.run
	$(BIN)/python -m pip install --quiet --editable '.[gcp,server]' --group test --group lint --group bench --group release --group site
	@touch $@
