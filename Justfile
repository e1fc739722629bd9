# The tasks of this repository: `just` lists them, `just TASK` runs one. CI runs the same tasks, by .ci/run.

fuzz_flags := "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
host := `rustc -vV | sed -n 's/^host: //p'`
msrv := `sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml`

# List the tasks
_list:
    @just --list --unsorted

# Install the npm packages and the cargo tools that the other tasks need
[group('start')]
setup: tools web-setup

# Install the cargo tools; at the same version, cargo does nothing
[group('start')]
tools:
    cargo install --locked --quiet cargo-deny@0.20.2
    cargo install --locked --quiet cargo-machete@0.9.2

# Start the server on http://localhost:3000, or run another command: `just start users list`
[group('start')]
start *arguments:
    cargo run -- {{ arguments }}

# Start the front end on http://localhost:3001, rebuilt on each change; `just start` runs beside it
[group('start')]
web-start:
    npm run dev -w frontend

# Run all tests
[group('test')]
test:
    cargo test

# Run the tests whose path contains NAME: `just test-one api::cookies`
[group('test')]
test-one name *arguments:
    cargo test --lib --tests -- {{ name }} {{ arguments }}

# Run all tests with a database on PostgreSQL, except those about the file of SQLite
[group('test')]
postgresql:
    .ci/postgres cargo test --lib --test tests -- store:: api:: mail:: server:: \
        --skip server::files --skip server::shared_database --skip server::crash \
        --skip server::commands::doctor --skip server::commands::settings --skip server::commands::secret

# Run tests of the store and of several nodes on a PostgreSQL newer than Debian's, whose pg_dump refuses it
[group('test')]
newest-postgresql:
    .ci/newest-postgres cargo test --lib --test tests -- store:: server::postgresql --skip server::postgresql_page

# Run tests of the store and of several nodes through PgBouncer, which changes sessions after each transaction
[group('test')]
pgbouncer:
    .ci/postgres .ci/pgbouncer cargo test --lib --test tests -- store::conformance store::moving behind_a_pooler server::commands::moving server::postgresql:: server::postgresql_revocation api::revocation api::refresh

# Kill and hang the primary of two PostgreSQL servers under Patroni, with three nodes behind HAProxy
[group('test')]
failover:
    .ci/postgres cargo test --test tests -- --ignored --nocapture server::failover

# Run every fuzz target for SECONDS each
[group('test')]
fuzz-all seconds="10": (fuzz "credential_header" seconds) (fuzz "request_body" seconds) (fuzz "signed_message" seconds) (fuzz "access_token" seconds) (fuzz "webauthn" seconds) (fuzz "lanes" seconds "crates/bcrypt-lanes/fuzz")

# Run one fuzz target; what it finds is in fuzz/artifacts
[group('test')]
fuzz target seconds="60" folder="fuzz":
    mkdir -p {{ folder }}/corpus/{{ target }} {{ folder }}/artifacts/{{ target }}
    RUSTFLAGS="{{ fuzz_flags }}" cargo run --quiet --profile fuzz --target {{ host }} --target-dir target/fuzz --manifest-path {{ folder }}/Cargo.toml \
        --bin {{ target }} -- {{ folder }}/corpus/{{ target }} -artifact_prefix={{ folder }}/artifacts/{{ target }}/ -max_total_time={{ seconds }} -error_exitcode=1

# Change the code and list the changes that no test notices: `just mutants --file src/throttle.rs`
[group('test')]
mutants *arguments:
    cargo install --locked --quiet cargo-mutants@27.1.0
    cargo mutants {{ arguments }}

# Measure look-ups and sign-ins; needs wrk
[group('test')]
bench *arguments:
    cargo bench --bench load -- {{ arguments }}

# Measure what a request costs; needs wrk, and with `--instructions` valgrind
[group('test')]
bench-requests *arguments:
    cargo bench --bench request_path -- {{ arguments }}

# Measure both engines, PostgreSQL with one, two and three nodes: `--json`, `--rounds N`, `--quick`; needs wrk
[group('test')]
bench-engines *arguments:
    POSTGRES_OPTIONS="-c shared_buffers=256MB" .ci/postgres cargo bench --bench engines -- {{ arguments }}

# Measure what a backup of a gigabyte costs the writers of a running server: `--quick`
[group('test')]
bench-backup *arguments:
    cargo bench --bench backup -- {{ arguments }}

# Send mail through a real Postfix; as root
[group('test')]
mail:
    .ci/real-smtp

# Run the examples with real proxies, services and JWT libraries; `just web-setup` comes first
[group('test')]
recipes:
    .ci/recipes

# Check alerts and dashboard with a real Prometheus that scrapes real servers
[group('test')]
metrics:
    cargo build --quiet
    .ci/postgres .ci/metrics

# Format the Rust code, the client and the front end
[group('check')]
format:
    cargo fmt --all
    npx biome check --write

# Check the format of the Rust code
[group('check')]
format-check:
    cargo fmt --all --check

# Run clippy over all targets
[group('check')]
lint:
    cargo clippy --workspace --all-targets --all-features --quiet -- -D warnings

# Build the documentation, whole and as embedders see it; links to private items may stand, for readers of the source
[group('check')]
docs $RUSTDOCFLAGS="-D warnings -D rustdoc::broken_intra_doc_links -A rustdoc::private_intra_doc_links":
    cargo doc --no-deps --all-features --quiet
    cargo doc --no-deps --quiet

# Build the documentation as a book in target/book, and check its links
[group('check')]
book:
    .ci/book

# Check licences, banned crates and sources of the dependencies
[group('check')]
deny:
    cargo deny --workspace --all-features --log-level error check licenses bans sources

# Check the dependencies against the RustSec advisories; exits with 77 when the database cannot be fetched
[group('check')]
[no-exit-message]
advisories:
    #!/usr/bin/env bash
    set -euo pipefail
    if ! timeout 120 cargo deny --log-level off fetch db; then
        echo "advisories NOT checked: the RustSec database cannot be fetched"
        exit 77
    fi
    cargo deny --workspace --all-features --log-level error check advisories

# Check the spelling of code and documents; .codespellrc lists the words that codespell does not know
[group('check')]
spelling:
    #!/usr/bin/env bash
    set -euo pipefail
    tools=target/spelling-tools
    [ -x $tools/bin/codespell ] || { python3 -m venv $tools && $tools/bin/pip install --quiet codespell==2.4.3; }
    git ls-files -z ':!*package-lock.json' ':!Cargo.lock' | xargs -0 $tools/bin/codespell

# Find dependencies that are not used
[group('check')]
unused:
    cargo machete

# Check the code with the oldest supported Rust; exits with 77 when rustup lacks that toolchain
[group('check')]
[no-exit-message]
msrv:
    #!/usr/bin/env bash
    set -euo pipefail
    if ! rustup toolchain list 2>/dev/null | grep -qE '^{{ msrv }}(\.[0-9]+)?-'; then
        echo "Rust {{ msrv }} NOT checked: rustup toolchain install {{ msrv }}"
        exit 77
    fi
    cargo +{{ msrv }} check --quiet --all-targets --all-features --target-dir target/msrv

# Write openapi.json from the routes, and the client's types from openapi.json
[group('generate')]
openapi:
    cargo run --quiet -- openapi > target/openapi.json
    mv target/openapi.json openapi.json
    npm run generate -w @cloakroom/client

# Make everything that a release consists of, into dist/; `--profile dev` from a debug build
[group('release')]
dist *arguments:
    .ci/release {{ arguments }}

# Install, start and list what `just dist` made; as root
[group('release')]
dist-check:
    .ci/release-check

# Set the version, close the section of the changelog, commit and tag; pushes nothing
[group('release')]
release version:
    .ci/bump {{ version }}

# Install the npm packages
[group('front end')]
web-setup:
    npm ci

# Check the npm lock files: digests, licences, install scripts
[group('front end')]
web-deny:
    .ci/npm

# Check that the client's types are those of openapi.json
[group('front end')]
web-generated:
    npm run generate -w @cloakroom/client -- --check

# Lint the client, the front end and the browser tests
[group('front end')]
web-lint:
    npm run lint

# Check the types of the client, the front end and the browser tests
[group('front end')]
web-types:
    npm run types

# Run the tests of the client and the front end against a real server
[group('front end')]
web-test:
    cargo build --quiet
    npm test

# Build the client and the front end, and check their sizes
[group('front end')]
web-build:
    npm run build
    npm run size -w @cloakroom/client
    npm run budget -w frontend

# Run the browser tests; `just web-build` comes first
[group('front end')]
web-e2e *arguments:
    cargo build --quiet
    npm run e2e -- {{ arguments }}

# Take the pictures in docs/images anew; `just web-build` comes first
[group('generate')]
pictures:
    cargo build --quiet
    cd e2e && npx playwright test --config pictures.config.ts

# Run everything that CI runs; installs Debian packages as root
[group('check')]
ci:
    .ci/run
