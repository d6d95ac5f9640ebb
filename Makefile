# `make` or `make help` says what there is.
GO      ?= go
BIN     := bin
OUT     := out
ROWS    ?= 200000
QUERIES ?= 100000
FUZZTIME ?= 30s
export CGO_ENABLED := 0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the static binary bin/rainsql
	@mkdir -p $(BIN)
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/rainsql ./cmd/rainsql

.PHONY: run
run: build ## Make a file of traffic signs and count them by category
	@mkdir -p $(OUT)
	@echo "Making $(OUT)/signs.csv: $(ROWS) traffic signs, the same on every machine"
	@$(BIN)/rainsql gen signs --rows $(ROWS) -o $(OUT)/signs.csv
	@echo "Running queries/signs/category_counts.rql over it:"
	@sed 's/^/    /' queries/signs/category_counts.rql
	@cd $(OUT) && ../$(BIN)/rainsql --timer --format table --param 'post=Punched Telespar' -f ../queries/signs/category_counts.rql

.PHONY: test
test: ## Run the tests
	$(GO) test ./...

.PHONY: race
race: ## Run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: differential
differential: ## Compare QUERIES (default 100000) random queries with DuckDB (needs a C compiler)
	cd difftest && CGO_ENABLED=1 $(GO) run . -n $(QUERIES)

.PHONY: differential-short
differential-short: ## The same for some seconds
	cd difftest && CGO_ENABLED=1 $(GO) test ./...

.PHONY: lint
lint: $(BIN)/golangci-lint ## Check style, mistakes and the layering of packages
	$(BIN)/golangci-lint run ./...

$(BIN)/golangci-lint: internal/tools/go.mod
	@mkdir -p $(BIN)
	cd internal/tools && $(GO) build -o ../../$(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: fmt
fmt: build ## Format the Go code and the queries
	gofmt -w $$(git ls-files '*.go')
	$(BIN)/rainsql fmt -w $$(git ls-files 'queries/*.rql')

.PHONY: generate
generate: ## Write the function reference anew from the function table
	$(GO) run ./internal/docgen > docs/FUNCTIONS.md

.PHONY: golden
golden: ## Write down what the golden tests give now; read the difference
	$(GO) test ./logictest ./parser ./parser/format ./queries ./docs -rewrite

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (default 30s)
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" sh internal/tools/fuzz.sh

.PHONY: bench
bench: ## Run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./bench ./connect/... ./expr/... ./parser/... ./sdfs/...

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(BIN) $(OUT)
