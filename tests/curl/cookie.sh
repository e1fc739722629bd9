#!/bin/sh
# A browser application keeps the token in a cookie that no script can read. What carries it and can change something must
# come from the application itself: browsers say so in Sec-Fetch-Site, here curl does.
. "$(dirname "$0")/lib.sh"
address=$(new_address browser)
jar=$scratch/cookies
ours='Sec-Fetch-Site: same-origin'

echo "# The answer sets the cookie and shows no token."
call POST /v1/registrations -H "$ours" -c "$jar" -d "email_address=$address" -d password=correct-horse -d transport=cookie
expect 201 "\"email_address\":\"$address\""
case $body in *crs_*) fail "a token was shown" ;; esac
expect_header 'set-cookie: .*cloakroom=crs_.*; HttpOnly; SameSite=Lax'

echo "# It is all that a later request needs."
call GET /v1/session -b "$jar"
expect 200 '"current":true'
call POST /v1/projects -H "$ours" -b "$jar" -d title=Mine
expect 201

echo "# A page of another site can send the cookie along, and changes nothing by that."
call POST /v1/projects -H 'Sec-Fetch-Site: cross-site' -b "$jar" -d title=Theirs
expect 403 cross_origin
call POST /v1/projects -H 'Origin: https://evil.example' -b "$jar" -d title=Theirs
expect 403 cross_origin
call DELETE /v1/session -b "$jar"
expect 403 cross_origin

echo "# Nor can it sign its visitors in as somebody else."
call POST /v1/session -H 'Sec-Fetch-Site: cross-site' -d "email_address=$address" -d password=correct-horse -d transport=cookie
expect 403 cross_origin
if grep -qi '^set-cookie' "$headers"; then fail "a cookie was set"; fi

echo "# Signing in again takes the place of the session in the cookie."
cp "$jar" "$scratch/before"
call POST /v1/session -H "$ours" -b "$jar" -c "$jar" -d "email_address=$address" -d password=correct-horse -d transport=cookie
expect 200
call GET /v1/session -b "$scratch/before"
expect 401 token_invalid
call GET /v1/session -b "$jar"
expect 200

echo "# Signing out takes the cookie back."
cp "$jar" "$scratch/before"
call DELETE /v1/session -H "$ours" -b "$jar" -c "$jar"
expect 200 '{"message":"Logged out"}'
expect_header 'set-cookie: .*cloakroom=; .*Max-Age=0'
call GET /v1/session -b "$jar"
expect 401 unauthorized
call GET /v1/session -b "$scratch/before"
expect 401 token_invalid
