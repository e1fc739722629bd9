#!/bin/sh
# Signing up, asking who one is, signing out, signing in again.
. "$(dirname "$0")/lib.sh"
address=$(new_address one)

echo "# A new account is signed in at once: the answer holds the token, and no digest."
call POST /v1/registrations -d "email_address=$address" -d password=correct-horse -d password_confirmation=correct-horse
expect 201 "\"email_address\":\"$address\""
token=$(field token)
case $body in *digest*) fail "a digest was shown" ;; esac

echo "# The address is taken now."
call POST /v1/registrations -d "email_address=$address" -d password=correct-horse
expect 422 "There was a problem creating your account"

echo "# The token is presented as a bearer, or as Rails writes it."
call GET /v1/session -H "Authorization: Bearer $token"
expect 200 '"current":true'
call GET /v1/session -H "Authorization: Token token=\"$token\""
expect 200

echo "# Signing out ends it for good."
call DELETE /v1/session -H "Authorization: Bearer $token"
expect 200 '{"message":"Logged out"}'
call GET /v1/session -H "Authorization: Bearer $token"
expect 401 token_invalid
expect_header 'www-authenticate: Bearer realm="cloakroom", error="invalid_token"'

echo "# Without any credential the answer is another."
call GET /v1/session
expect 401 '"error":"Unauthorized"'

echo "# Signing in, as JSON this time; a wrong password and an unknown address read the same."
call POST /v1/session -H 'Content-Type: application/json' -d "{\"email_address\":\"$address\",\"password\":\"correct-horse\"}"
expect 200 '"token":"crs_'
call POST /v1/session -d "email_address=$address" -d password=wrong-horse
expect 401 "Invalid email address or password"
call POST /v1/session -d email_address=nobody@example.com -d password=wrong-horse
expect 401 "Invalid email address or password"
