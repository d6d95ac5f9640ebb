# `make` or `make help` says what there is.
GO      ?= go
BIN     := bin
OUT     := out
ROWS    ?= 200000
QUERIES ?= 100000
FUZZTIME ?= 30s
CHAOS   ?= 5m
export CGO_ENABLED := 0
# Without a tag the Go command knows a version from the commit.
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))
# grpc's pages of traces, which nothing here serves, bring html/template, with which the linker keeps every method of
# every type: 5 MB.
TAGS    := grpcnotrace
BUILD   := $(GO) build -trimpath -buildvcs=auto -tags $(TAGS) -ldflags '$(LDFLAGS)'
PREFIX  ?= /usr/local
DESTDIR ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the static binary bin/rainsql
	@mkdir -p $(BIN)
	$(BUILD) -o $(BIN)/rainsql ./cmd/rainsql

.PHONY: run
run: build ## Make a file of traffic signs and count them by category
	@mkdir -p $(OUT)
	@echo "Making $(OUT)/signs.csv: $(ROWS) traffic signs, the same on every machine"
	@$(BIN)/rainsql gen signs --rows $(ROWS) -o $(OUT)/signs.csv
	@echo "Running queries/signs/category_counts.rql over it:"
	@sed 's/^/    /' queries/signs/category_counts.rql
	@cd $(OUT) && ../$(BIN)/rainsql --timer --format table --param 'post=Punched Telespar' -f ../queries/signs/category_counts.rql

$(BIN)/rainsql:
	@$(MAKE) build

.PHONY: cluster
cluster: build ## Start three servers on this machine with a sample loaded, and tell what to try; Ctrl-C stops them
	@sh internal/tools/cluster.sh $(BIN)/rainsql $(OUT)/cluster

# Where things lie below PREFIX.
PROGRAM := $(DESTDIR)$(PREFIX)/bin/rainsql
MANUAL  := $(DESTDIR)$(PREFIX)/share/man/man1/rainsql.1
BASH    := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rainsql
ZSH     := $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rainsql
FISH    := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rainsql.fish

.PHONY: install
install: | $(BIN)/rainsql ## Install bin/rainsql, its manual page and completions below PREFIX (default /usr/local)
	mkdir -p $(dir $(PROGRAM) $(MANUAL) $(BASH) $(ZSH) $(FISH))
	install -m 755 $(BIN)/rainsql $(PROGRAM)
	install -m 644 docs/man/rainsql.1 $(MANUAL)
	$(BIN)/rainsql completion bash > $(BASH)
	$(BIN)/rainsql completion zsh > $(ZSH)
	$(BIN)/rainsql completion fish > $(FISH)

.PHONY: uninstall
uninstall: ## Remove what install put below PREFIX
	rm -f $(PROGRAM) $(MANUAL) $(BASH) $(ZSH) $(FISH)

.PHONY: packages
ARCH ?= $(shell $(GO) env GOHOSTARCH)
PACKAGE_VERSION ?= $(if $(VERSION),$(shell echo '$(VERSION)' | sed 's/^v//; s/-/+/; s/-/./g'),$(shell git log -1 --format=0.0.0~git%cd.%h --date=format:%Y%m%d 2>/dev/null || echo 0.0.0))
packages: build $(BIN)/nfpm ## Build dist/*.deb and *.rpm for ARCH (default this machine's)
	@mkdir -p $(OUT)/package dist
	GOOS=linux GOARCH=$(ARCH) $(BUILD) -o $(OUT)/package/rainsql ./cmd/rainsql
	@for shell in bash zsh fish; do $(BIN)/rainsql completion $$shell > $(OUT)/package/rainsql.$$shell || exit 1; done
	@gzip -9n < docs/man/rainsql.1 > $(OUT)/package/rainsql.1.gz
	@for kind in deb rpm; do \
		PACKAGE_VERSION='$(PACKAGE_VERSION)' PACKAGE_ARCH=$(ARCH) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 0) \
		$(BIN)/nfpm package --config packaging/nfpm.yaml --packager $$kind --target dist/ || exit 1; done

$(BIN)/nfpm: internal/tools/nfpm/go.mod
	@mkdir -p $(BIN)
	cd internal/tools/nfpm && $(GO) build -o ../../../$(BIN)/nfpm github.com/goreleaser/nfpm/v2/cmd/nfpm

.PHONY: test
test: ## Run the tests
	$(GO) test ./...

.PHONY: race
race: ## Run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -timeout 30m ./...

.PHONY: differential
differential: ## Compare QUERIES (default 100000) random queries with DuckDB (needs a C compiler)
	cd difftest && CGO_ENABLED=1 $(GO) run . -n $(QUERIES)

.PHONY: differential-cluster
differential-cluster: ## Compare 5000 of them on a cluster of three, too; ten minutes
	cd difftest && CGO_ENABLED=1 $(GO) run . -cluster 3 -n 5000

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
generate: $(BIN)/protogen ## Write the function reference, the manual page and the code of api anew
	$(BIN)/protogen api $(BIN)/protoc-gen-go $(BIN)/protoc-gen-go-grpc
	$(GO) run ./internal/docgen > docs/FUNCTIONS.md
	$(GO) test ./cmd/rainsql -run TestManPage -rewrite >/dev/null

$(BIN)/protogen: internal/tools/protogen/go.mod internal/tools/protogen/main.go
	@mkdir -p $(BIN)
	cd internal/tools/protogen && $(GO) build -o ../../../$(BIN)/ . google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

.PHONY: pictures
pictures: build ## Draw the pictures of the README anew: what is on the screen of a terminal
	$(GO) run ./internal/pictures $(BIN)/rainsql docs/pictures

.PHONY: golden
golden: ## Write down what the golden tests give now; read the difference
	$(GO) test ./logictest ./parser ./parser/format ./queries ./docs -rewrite

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (default 30s)
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" sh internal/tools/fuzz.sh

.PHONY: bench
bench: ## Run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./bench ./connect/... ./expr/... ./parser/... ./sdfs/...

.PHONY: chaos
chaos: ## Hurt real servers in each way for CHAOS (default 5m), and check 200 histories (100 each of names and of contents); an hour (needs root)
	$(GO) test -count=1 -v -timeout 24h ./internal/testcluster/process -chaos $(CHAOS)
	$(GO) test -count=1 -timeout 1h ./internal/testcluster -run Linearizable -histories 100

.PHONY: detection
detection: ## Measure how soon dead servers are noticed, and how many living ones are; twenty minutes
	$(GO) test -run '^$$' -bench Detection -benchtime 5x -timeout 3h ./internal/testcluster/process

.PHONY: bench-files
bench-files: ## Measure the file store of three servers on this machine: put, get, appends
	$(GO) test -run '^$$' -bench 'Files/(disk|put|get)|Refill' -benchtime 5x -timeout 1h ./internal/testcluster/process
	$(GO) test -run '^$$' -bench 'Files/append' -benchtime 5000x -timeout 1h ./internal/testcluster/process

.PHONY: bench-jobs
bench-jobs: ## Measure queries over a gigabyte on three servers of this machine against the program alone, and links between processes
	$(GO) test -run '^$$' -bench Jobs -benchtime 7x -timeout 1h ./internal/testcluster/process
	$(GO) test -run '^$$' -bench Carry ./cluster/link

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(BIN) $(OUT) dist
