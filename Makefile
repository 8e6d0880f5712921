# Short names for the programs that do the work; `make help` lists them.

CHECK := tests/checks/check

.DEFAULT_GOAL := help
.PHONY: help demo test setup lint unit sanity docs molecule bench lab-up lab-down clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## show a whole recovery on a small real OpenStack (root)
	tests/demo/demo

test: ## everything that has to pass before a merge (root)
	$(CHECK) all

setup: ## install the tools; every other target does it by itself
	$(CHECK) setup

lint: ## ruff, mypy, ansible-lint, antsibull
	$(CHECK) lint

unit: ## unit tests
	$(CHECK) unit

sanity: ## ansible-test sanity
	$(CHECK) sanity

docs: ## ansible-doc of every plugin and role
	$(CHECK) docs

molecule: ## scenarios against the lab (root); one: make molecule SCENARIO=name
	$(CHECK) molecule $(SCENARIO)

bench: ## measure recovery times on the lab (root)
	$(CHECK) bench

lab-up: ## start the lab (root)
	tests/lab/lab up

lab-down: ## stop the lab (root)
	tests/lab/lab down

clean: ## remove what tools left in the checkout; the cache outside stays
	rm -rf build dist tests/output .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
