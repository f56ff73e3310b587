# Bartizan. `make demo` and `make test` need only Go and make.
SHELL := /bin/sh
export CGO_ENABLED ?= 0
# Other people's words are read where they lie; tests that need them say so
# and pass over where there are none.
ifneq ($(wildcard ../shared/corpora),)
export BARTIZAN_CORPORA ?= $(abspath ../shared/corpora)
endif
ifneq ($(wildcard ../shared/listings),)
export BARTIZAN_LISTINGS ?= $(abspath ../shared/listings)
endif

GOFLAGS_BUILD := -trimpath -buildvcs=false
GUEST_SOURCES := $(shell find plugins sdk/go internal/wasmsection -type f -not -path 'plugins/dist/*' -not -path 'plugins/train/*' -not -name '*_test.go')
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME      ?= 10s

# The race detector needs a C compiler; without one the tests run without it.
ifneq ($(shell command -v gcc || command -v clang),)
RACE := CGO_ENABLED=1 go test -race -timeout 25m
else
RACE := go test -timeout 25m
endif

# Of one thread, and left out under the race detector by their build tags.
NORACE := -timeout 20m -run '^(TestFloors|TestScannersPage|TestScriptOf|TestUnseen|TestSessions|TestEval|TestShippedScanners|Test.*TheReferences.*|TestTenMegabytes)$$' \
	./cmd/bartizan ./engine/normalise ./sdk/tck

.PHONY: build plugins demo test e2e bench fuzz lint train eval clean

build: plugins
	go build $(GOFLAGS_BUILD) -ldflags='-s -w' -o bin/ ./cmd/bartizan ./cmd/bartizan-gateway

# First-party scanners, compiled as a stranger's and straightened.
plugins: plugins/dist/.built
plugins/dist/.built: $(GUEST_SOURCES)
	go run ./plugins/internal/build
	@touch $@

bin/fixtures/weather: internal/fixture/weather/main.go go.mod
	go build $(GOFLAGS_BUILD) -o $@ ./internal/fixture/weather
bin/fixtures/everything-server: go.mod
	go build $(GOFLAGS_BUILD) -o $@ github.com/modelcontextprotocol/go-sdk/conformance/everything-server
bin/fixtures/everything-client: go.mod
	go build $(GOFLAGS_BUILD) -o $@ github.com/modelcontextprotocol/go-sdk/conformance/everything-client

demo: build bin/fixtures/weather bin/fixtures/everything-server
	bin/bartizan demo --fixtures bin/fixtures

test: plugins
	go build ./... && go vet ./...
	$(RACE) $(TESTFLAGS) $$(go list ./... | grep -vE '/plugins/internal/(cases|straighten)$$')
	go test $(TESTFLAGS) ./plugins/internal/... # scanners compiled and run, one message at a time
	go test $(TESTFLAGS) -run 'Hostile|Monsters' ./engine # all of the suite: the race detector gets a part
	go test $(TESTFLAGS) $(NORACE) # train, compile and compute: ten times as long under the race detector
	$(RACE) $(TESTFLAGS) -tags portable ./engine/sandbox # the reset of other systems

# The example of every SDK, made as its author would and held to the same
# verdicts; the modules stay in bin/scanners, where the table of docs/scanners.md
# is measured. .ci/toolchains installs the compilers; without one its example is
# passed over, unless BARTIZAN_TOOLCHAINS is required.
.PHONY: sdk templates
sdk: templates
	$(MAKE) build
	BARTIZAN_BIN=$(abspath bin) BARTIZAN_MODULES=$(abspath bin/scanners) go test -count=1 -timeout 10m -tags sdk $(TESTFLAGS) ./sdk/examples
# The modules that scripts are placed in. What is built afterwards has them in it,
# and authors need no compiler.
templates:
	@if $(MAKE) -s -C sdk/javascript toolchain; then $(MAKE) -s -C sdk/javascript; fi

# The official registry's tool and packages, in a module of their own.
bin/official/publisher: internal/e2e/official/main.go internal/e2e/official/go.mod
	@mkdir -p bin/official && cd internal/e2e/official && go build $(GOFLAGS_BUILD) -o ../../../bin/official/ . github.com/modelcontextprotocol/registry/cmd/publisher

# By uv, which the clients' environment has: a tenth of the time.
bin/validators/.made: internal/e2e/validators/requirements.txt bin/venv/.made
	bin/venv/bin/uv venv --quiet --allow-existing --python python3 bin/validators
	bin/venv/bin/uv pip install --quiet --python bin/validators/bin/python -r $<
	@touch $@

bin/venv/.made: internal/e2e/clients/requirements.txt
	@mkdir -p bin && python3 -m venv bin/venv
	bin/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# cosign, which TestCosign holds our bundles to, in this user's cache: 200 s of
# one processor, once. Without it that test is skipped.
COSIGN_VERSION := v2.6.5
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bartizan/tools
.PHONY: cosign
cosign: $(TOOLS)/cosign
$(TOOLS)/cosign:
	GOBIN=$(TOOLS) CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' github.com/sigstore/cosign/v2/cmd/cosign@$(COSIGN_VERSION)

# Real servers from npm, the official conformance suite and unmodified clients,
# through both doors; smuggled requests through haproxy and nginx, where they
# are installed. Closes with what was counted.
e2e: build bin/fixtures/weather bin/fixtures/everything-server bin/fixtures/everything-client bin/venv/.made bin/official/publisher bin/validators/.made
	@for d in . conformance clients sarif sigstore; do (cd internal/e2e/$$d && npm ci --ignore-scripts --no-audit --no-fund --silent) || exit 1; done
	@rm -f bin/e2e.txt
	BARTIZAN_BIN=$(abspath bin) go test -count=1 -timeout 20m -tags e2e $(TESTFLAGS) ./internal/e2e/...
	BARTIZAN_BIN=$(abspath bin) go test -count=1 -timeout 5m -tags e2e -run '^TestBehindProxies$$' $(TESTFLAGS) ./internal/attack
	@cat bin/e2e.txt

# The table of docs/sbom.md: the SBOMs of real servers, other tools' beside ours.
# `make e2e` holds ours alone to the same truth.
.PHONY: accuracy
accuracy: build
	@cd internal/e2e/accuracy && npm ci --ignore-scripts --no-audit --no-fund --silent
	BARTIZAN_BIN=$(abspath bin) go test -count=1 -tags e2e -run '^TestAccuracy$$' -v $(TESTFLAGS) ./internal/e2e/accuracy -update

# What the engine, the gateway and the registry cost, as three tables of ratios,
# each measured in one run (docs/performance.md). The programs are modules of their
# own, which hold what is compared with. BENCHFLAGS='-into ../../docs/performance.md'
# also puts the tables there.
.PHONY: bench-engine bench-gateway bench-registry
BENCH_RESULTS := engine/bench/guest/build/engine.txt
bench: bench-engine bench-gateway bench-registry
bench-engine: plugins
	$(MAKE) -s -C engine/bench/guest
	go test -run '^$$' -bench . -benchtime 200ms ./engine/... ./sdk/go/... ./plugins/... ./internal/... ./gateway/... ./sbom/... | tee $(BENCH_RESULTS)
	cd engine/bench && go run . -engine $(abspath $(BENCH_RESULTS)) $(BENCHFLAGS)
# The built binaries as processes, beside the server alone and a plain proxy.
bench-gateway: build
	cd gateway/bench && go build -o ../../bin/gateway-bench . && ../../bin/gateway-bench $(BENCHFLAGS)
# The registry in one process; SBOMs also by processes of their own.
bench-registry: plugins
	cd registry/bench && go build -o ../../bin/registry-bench . && ../../bin/registry-bench $(BENCHFLAGS)

# The example of every SDK as the table of docs/scanners.md, which
# BENCHFLAGS='-into ../../docs/scanners.md' puts there; beside it the same as
# plugins of Extism, whose PDKs are downloaded here and nowhere else.
.PHONY: bench-scanners
bench-scanners: sdk
	$(MAKE) -s -C engine/bench/guest extism
	cd engine/bench && go run . -modules $(abspath bin/scanners) $(BENCHFLAGS)

# A million calls with the same ids, by many clients, through both endpoints and
# between the eras: each answer must hold the nonce of its own call. `make test`
# makes 10,000 of them.
CROSS ?= 1000000
.PHONY: cross
cross:
	go test -count=1 -timeout 2h -run '^TestCrossDelivery$$' -v $(TESTFLAGS) ./gateway -cross $(CROSS)

# Clients of every kind, the hostile beside the honest, against the running
# gateway for SOAK; memory, goroutines and open files must end as they began.
SOAK ?= 30m
.PHONY: soak
soak: build
	BARTIZAN_BIN=$(abspath bin) go test -count=1 -timeout 0 -tags soak -run '^TestSoak$$' -v $(TESTFLAGS) ./internal/attack -soak $(SOAK)

# Every fuzz target of the repository for FUZZTIME each.
fuzz:
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for t in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' $$f); do \
	    echo "$$(dirname $$f) $$t"; go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) $$(dirname $$f); \
	  done; done

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go vet -tags soak ./internal/attack
	go vet -tags sdk ./sdk/...
	go vet -tags e2e ./internal/attack ./internal/e2e/...
	go run $(STATICCHECK) ./...
	cd engine/bench && go vet ./...
	cd gateway/bench && go vet ./...
	cd registry/bench && go vet ./...
	cd internal/e2e/official && go vet ./...

# Weights of the text models, from the corpora; same bytes every time.
train:
	go run ./cmd/train -corpora $(BARTIZAN_CORPORA)
# The leave-one-source-out tables of docs/detection.md.
eval: build
	bin/bartizan eval --leave-one-out --corpus $(BARTIZAN_CORPORA) --listings $(BARTIZAN_LISTINGS) -o json > bin/eval.json
	go run ./cmd/train -into docs/detection.md < bin/eval.json

clean:
	rm -rf bin plugins/dist/*.wasm plugins/dist/.built
