#!/bin/sh
# A forgotten password: the mail, its link, the new password.
. "$(dirname "$0")/lib.sh"
address=$(new_address forgetful)

call POST /v1/registrations -d "email_address=$address" -d password=old-password
expect 201
token=$(field token)

echo "# Whoever asks hears the same, whether the address is known or not."
call POST /v1/passwords -d email_address=nobody@example.com
expect 200 '{"message":"Password reset instructions sent"}'
call POST /v1/passwords -d "email_address=$address"
expect 200 '{"message":"Password reset instructions sent"}'

echo "# The link is in the mail."
link=$(reset_link "$address")
call GET "/v1/passwords/$link"
expect 200 '"email_address":"f…@example.com"'
call POST /v1/passwords/check -d "token=$link"
expect 200 '"email_address":"f…@example.com"'

echo "# A confirmation that differs destroys nothing."
call PUT "/v1/passwords/$link" -d password=new-password -d password_confirmation=old-password
expect 422 "Password confirmation doesn't match Password"
call GET /v1/session -H "Authorization: Bearer $token"
expect 200
call PUT /v1/passwords -d "token=$link" -d password=new-password -d password_confirmation=old-password
expect 422 "Password confirmation doesn't match Password"

echo "# Then it is done: every session is over and the link is spent."
call PUT "/v1/passwords/$link" -d password=new-password -d password_confirmation=new-password
expect 200 '{"message":"Password has been reset."}'
call GET /v1/session -H "Authorization: Bearer $token"
expect 401
call PUT "/v1/passwords/$link" -d password=new-password -d password_confirmation=new-password
expect 401 '"errors":["Password reset link is invalid or has expired."]'

call POST /v1/session -d "email_address=$address" -d password=old-password
expect 401
call POST /v1/session -d "email_address=$address" -d password=new-password
expect 200
