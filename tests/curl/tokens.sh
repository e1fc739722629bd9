#!/bin/sh
# Tokens for machines: a pair and its refresh, an API key, what a proxy and a service ask, and the end of each.
. "$(dirname "$0")/lib.sh"
address=$(new_address machine)

call POST /v1/registrations -d "email_address=$address" -d password=correct-horse
expect 201 '"token":"crs_'
mine="Authorization: Bearer $(field token)"

echo "# A password gives a pair; the access token opens what its scopes name, and never the account."
call POST /v1/tokens -d "email_address=$address" -d password=wrong-horse
expect 401 invalid_credentials
call POST /v1/tokens -d "email_address=$address" -d password=correct-horse
expect 200 '"token_type":"Bearer"'
expect_header '^cache-control: no-store'
access=$(field access_token)
refresh=$(field refresh_token)
call POST /v1/projects -H "Authorization: Bearer $access" -d title=Ours
expect 201 '"title":"Ours"'
call GET /v1/user -H "Authorization: Bearer $access"
expect 200 "\"email_address\":\"$address\""
call GET /v1/sessions -H "Authorization: Bearer $access"
expect 403 forbidden
call POST /v1/tokens -H "Authorization: Bearer $access"
expect 403 forbidden

echo "# Whoever has a session asks for less."
call POST /v1/tokens -H "$mine" -d scope=projects:read
expect 200 '"scope":"projects:read"'
narrow="Authorization: Bearer $(field access_token)"
call GET /v1/projects -H "$narrow"
expect 200 '"title":"Ours"'
call POST /v1/projects -H "$narrow" -d title=More
expect 403 insufficient_scope
expect_header '^www-authenticate: .*error="insufficient_scope", scope="projects:write"'
call POST /v1/tokens -H "$mine" -d scope=everything:always
expect 400 invalid_scope

echo "# Others verify it with these keys, and need nothing else."
call GET /.well-known/jwks.json
expect 200 '"crv":"Ed25519"'
expect_header '^cache-control: public, max-age=300'

echo "# A refresh token is spent for the next pair, and for ten seconds it gives that pair again."
call POST /v1/tokens/refresh -d "refresh_token=$refresh"
expect 200 '"refresh_token":"crr_'
next=$(field refresh_token)
call POST /v1/tokens/refresh -d "refresh_token=$refresh"
expect 200 "\"refresh_token\":\"$next\""
call POST /v1/tokens/refresh -d refresh_token=crr_invented
expect 400 invalid_grant
call POST /v1/tokens/refresh
expect 400 invalid_request

echo "# A key is shown once, does what its scopes say, and never makes another."
call POST /v1/api_keys -H "$mine" -d name=nightly
expect 422 "Password challenge can't be blank"
call POST /v1/api_keys -H "$mine" -d name=nightly -d 'scopes=projects:read user:read introspect' -d password_challenge=correct-horse
expect 201 '"prefix":"crk_"'
key=$(field key)
id=$(field id)
call GET /v1/projects -H "X-API-Key: $key"
expect 200 '"title":"Ours"'
call GET /v1/projects -H "Authorization: Bearer $key"
expect 200
call GET /v1/projects -H "X-API-Key: $key" -H "$mine"
expect 400 invalid_request
call GET /v1/api_keys -H "X-API-Key: $key"
expect 403 forbidden
call GET /v1/api_keys -H "$mine"
expect 200 '"name":"nightly"'
case $body in *"$key"*) fail "the list shows the key" ;; esac

echo "# A proxy asks who it is, by whatever method, and hands on what it is told."
call POST '/v1/verify?scope=projects:read' -H "X-API-Key: $key" -H 'X-User-Id: 999'
expect 200 '{"message":"Verified"}'
expect_header '^x-user-email:[[:space:]]*$'
expect_header '^x-user-email-confirmed: false'
expect_header '^x-credential: api_key'
expect_header '^x-scopes: projects:read user:read introspect'
call GET '/v1/verify?scope=projects:read+projects:write' -H "X-API-Key: $key"
expect 403 insufficient_scope
call GET /v1/verify -H "Authorization: Bearer $access"
expect 200
expect_header '^x-credential: access_token'
call GET /v1/verify
expect 401 unauthorized

echo "# A service asks what a token is good for, and whoever has one may end it."
call POST /v1/introspect -H "X-API-Key: $key" -d "token=$access"
expect 200 '"credential":"access_token"'
call POST /v1/tokens/revoke -d "token=$access"
expect 200 '{"message":"Token revoked"}'
call POST /v1/introspect -H "X-API-Key: $key" -d "token=$access"
expect 200 '{"active":false}'
call GET /v1/projects -H "Authorization: Bearer $access"
expect 401 token_invalid
call POST /v1/tokens/revoke -d "token=$next" -d token_type_hint=refresh_token
expect 200 '{"message":"Token revoked"}'
call POST /v1/tokens/refresh -d "refresh_token=$next"
expect 400 invalid_grant
call POST /v1/tokens/revoke -d token=nonsense
expect 200 '{"message":"Token revoked"}'

echo "# A revoked key is refused with the next request; its owner sees when that was."
call DELETE "/v1/api_keys/$id" -H "$mine"
expect 204
call GET /v1/projects -H "X-API-Key: $key"
expect 401 invalid_api_key
call GET /v1/api_keys -H "$mine"
expect 200 '"revoked_at":"'
