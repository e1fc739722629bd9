#!/bin/sh
# Guessing is limited: ten tries in three minutes from one client. (throttle.enabled = true, the default.)
. "$(dirname "$0")/lib.sh"

call POST /v1/registrations -d "email_address=$(new_address guessed)" -d password=correct-horse
expect 201
token=$(field token)

try=1
while [ "$try" -le 10 ]; do
    call POST /v1/session -d email_address=nobody@example.com -d "password=guess-$try"
    expect 401
    try=$((try + 1))
done
echo "# The eleventh is not even looked at."
call POST /v1/session -d email_address=nobody@example.com -d password=guess-11
expect 429 '"error":"Try again later."'
expect_header 'retry-after: [1-9]'

echo "# Whoever is signed in already goes on."
call GET /v1/session -H "Authorization: Bearer $token"
expect 200
