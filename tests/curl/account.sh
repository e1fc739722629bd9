#!/bin/sh
# The life of an account: where one is signed in, a new token, a new password, a new address, the end of it all.
. "$(dirname "$0")/lib.sh"
address=$(new_address settled)
moved=$(new_address moved)

# letter WORDS ADDRESS: waits for a mail to that address that holds those words, and gives its file.
letter() {
    tries=0
    until found=$(letters_with "$1" "$2" | tail -n 1) && [ -n "$found" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "no mail to $2 in $MAILS that holds: $1"
        sleep 0.1
    done
    echo "$found"
}

# confirmation_link ADDRESS: the token of the link in a mail to that address.
confirmation_link() {
    sed -n 's|.*/confirmations#\([A-Za-z0-9_.=-]*\).*|\1|p' "$(letter /confirmations# "$1")" | head -n 1
}

call POST /v1/registrations -d "email_address=$address" -d password=correct-horse
expect 201 '"email_confirmed":false'
token=$(field token)
mine="Authorization: Bearer $token"

echo "# Whoever asks for a confirmation hears the same, whether the address is known or not."
call POST /v1/confirmations -d email_address=nobody@example.com
expect 200 '{"message":"Confirmation instructions sent"}'
call POST /v1/confirmations -d "email_address=$address"
expect 200 '{"message":"Confirmation instructions sent"}'
link=$(confirmation_link "$address")
call PUT /v1/confirmations -d "token=$link"
expect 200 '{"message":"Email address has been confirmed."}'
call PUT "/v1/confirmations/$link"
expect 200 '{"message":"Email address has been confirmed."}'
call GET /v1/user -H "$mine"
expect 200 '"email_confirmed":true'

echo "# Signed in on two more devices: one is ended by its id, the other with all but the one that asks."
call POST /v1/session -d "email_address=$address" -d password=correct-horse
expect 200
phone=$(field token)
id=$(field id)
call POST /v1/session -d "email_address=$address" -d password=correct-horse
expect 200
tablet=$(field token)
call GET /v1/sessions -H "$mine"
expect 200 '"current":true'
call DELETE "/v1/sessions/$id" -H "$mine"
expect 204
call GET /v1/session -H "Authorization: Bearer $phone"
expect 401 token_invalid
call DELETE "/v1/sessions/$id" -H "$mine"
expect 404
call DELETE '/v1/sessions?except=current' -H "$mine"
expect 200 '{"message":"Sessions ended","sessions_ended":1}'
call GET /v1/session -H "Authorization: Bearer $tablet"
expect 401 token_invalid

echo "# A new token for the same session; the old one is dead at once."
call POST /v1/session/rotate -H "$mine"
expect 200 '"token":"crs_'
token=$(field token)
call GET /v1/session -H "$mine"
expect 401 token_invalid
mine="Authorization: Bearer $token"

echo "# A new password asks for the current one, and is told by mail."
call PUT /v1/user/password -H "$mine" -d password=battery-staple
expect 422 "Password challenge can't be blank"
call PUT /v1/user/password -H "$mine" -d password_challenge=guess -d password=battery-staple
expect 422 'Password challenge is incorrect'
call PUT /v1/user/password -H "$mine" -d password_challenge=correct-horse -d password=battery-staple \
    -d password_confirmation=battery-staple
expect 200 '"message":"Password has been changed."'
mine="Authorization: Bearer $(field token)"
letter 'Subject: Your password was changed' "$address" >"$scratch/told"

echo "# A new address waits until the link that is mailed to it is used."
call PUT /v1/user/email_address -H "$mine" -d password_challenge=battery-staple -d "email_address=$moved"
expect 200 '"message":"Confirmation instructions sent"'
mine="Authorization: Bearer $(field token)"
call GET /v1/user -H "$mine"
expect 200 "\"email_address\":\"$address\""
call PUT "/v1/confirmations/$(confirmation_link "$moved")"
expect 200 '{"message":"Email address has been confirmed."}'
call GET /v1/user -H "$mine"
expect 200 "\"email_address\":\"$moved\""
call POST /v1/session -d "email_address=$address" -d password=battery-staple
expect 401

echo "# After a reauthentication, under its new token, changes need no challenge. Then the account is deleted."
call DELETE /v1/user -H "$mine"
expect 422 "Password challenge can't be blank"
call POST /v1/session/reauthenticate -H "$mine" -d password=battery-staple
expect 200 '"token":"crs_'
token=$(field token)
call DELETE /v1/user -H "$mine"
expect 401 token_invalid
mine="Authorization: Bearer $token"
call DELETE /v1/user -H "$mine"
expect 200 '{"message":"Account has been deleted."}'
call GET /v1/user -H "$mine"
expect 401 token_invalid
call POST /v1/session -d "email_address=$moved" -d password=battery-staple
expect 401 '"error":"Invalid email address or password"'
