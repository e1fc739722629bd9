#!/bin/sh
# A browser asks before it lets a page of another origin call: only configured origins (cors.origins) are let in.
. "$(dirname "$0")/lib.sh"

echo "# A known origin may, with its token and its JSON."
call OPTIONS /v1/session -H 'Origin: http://localhost:3001' -H 'Access-Control-Request-Method: POST' \
    -H 'Access-Control-Request-Headers: authorization, content-type'
expect 200
expect_header 'access-control-allow-origin: http://localhost:3001'
expect_header 'access-control-allow-methods:.*POST'
expect_header 'access-control-allow-headers:.*authorization'
expect_header 'vary:.*origin'

call GET /up -H 'Origin: http://localhost:3001'
expect 200
expect_header 'access-control-allow-origin: http://localhost:3001'
expect_header 'access-control-expose-headers:.*x-request-id'

echo "# An unknown one may not."
call OPTIONS /v1/session -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: POST'
case $status in 2*) fail "the preflight was granted" ;; esac
if grep -qi '^access-control-allow-origin' "$headers"; then fail "the origin was allowed"; fi
