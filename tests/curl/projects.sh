#!/bin/sh
# A resource that is protected by default and belongs to somebody.
. "$(dirname "$0")/lib.sh"

call POST /v1/registrations -d "email_address=$(new_address owner)" -d password=correct-horse
expect 201
owner="Authorization: Bearer $(field token)"
call POST /v1/registrations -d "email_address=$(new_address stranger)" -d password=correct-horse
expect 201
stranger="Authorization: Bearer $(field token)"

echo "# Nobody without a session gets in."
call GET /v1/projects
expect 401
call POST /v1/projects -d title=Mine
expect 401

echo "# The owner makes, sees and changes it; a title is needed."
call POST /v1/projects -H "$owner" -d title=Mine -d 'description=What it is about'
expect 201 '"title":"Mine"'
id=$(field id)
call POST /v1/projects -H "$owner" -d title=
expect 422 "Title can't be blank"
call PATCH "/v1/projects/$id" -H "$owner" -d title=Ours
expect 200 '"description":"What it is about"'
call GET "/v1/projects/$id" -H "$owner"
expect 200 '"title":"Ours"'

echo "# To a stranger it does not exist."
call GET "/v1/projects/$id" -H "$stranger"
expect 404
call DELETE "/v1/projects/$id" -H "$stranger"
expect 404
call GET /v1/projects -H "$stranger"
expect 200 '{"projects":[],"next_cursor":null}'

echo "# Lists come newest first, a page at a time."
call POST /v1/projects -H "$owner" -d title=Another
expect 201
call GET '/v1/projects?limit=1' -H "$owner"
expect 200 '"title":"Another"'
call GET "/v1/projects?limit=1&cursor=$(field next_cursor)" -H "$owner"
expect 200 '"title":"Ours"'

call DELETE "/v1/projects/$id" -H "$owner"
expect 204
call GET "/v1/projects/$id" -H "$owner"
expect 404
