# What the stories share. Each story starts with `. "$(dirname "$0")/lib.sh"` and takes from the environment:
#   BASE   the server's URL, such as http://127.0.0.1:3000
#   MAILS  the folder where mails arrive: mail.directory where mail.transport is "file", or `new` of a Maildir
# No jq: what is wanted from an answer is cut out with sed.

set -eu
: "${BASE:?set BASE to the URL of the server}"
: "${MAILS:?set MAILS to the folder of its mails}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# An address that nobody had before, so that a story can be told twice.
new_address() {
    echo "$1-$$-$(date +%s)@example.com"
}

# call METHOD PATH [options for curl]: sends it, prints it, and leaves $status, $body and the file $headers.
call() {
    method=$1 path=$2
    shift 2
    headers=$scratch/headers
    status=$(curl --silent --show-error --max-time 60 --request "$method" --dump-header "$headers" \
        --output "$scratch/body" --write-out '%{http_code}' "$@" "$BASE$path")
    body=$(cat "$scratch/body")
    echo "$method $path -> $status $body"
}

# expect STATUS [TEXT]: stops the story unless the last answer had that status and held that text.
expect() {
    if [ "$status" != "$1" ]; then
        fail "expected $1"
    fi
    case $body in
    *"${2-}"*) ;;
    *) fail "expected: $2" ;;
    esac
}

# expect_header TEXT: stops the story unless a header of the last answer holds that text, in any case.
expect_header() {
    grep -qi "$1" "$headers" || fail "expected the header $1 in: $(cat "$headers")"
}

fail() {
    echo "SURPRISE: $1" >&2
    exit 1
}

# field NAME: the value of the first text or number of that name in the last answer.
field() {
    printf '%s\n' "$body" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# letters_with TEXT ADDRESS: the files of mails to that address that hold that text, the oldest first.
letters_with() {
    find "$MAILS" -type f ! -name '*.part' -exec grep -qs "^To: $2" {} \; -exec grep -ls "$1" {} \; 2>/dev/null |
        sort
}

# reset_link ADDRESS: waits for a mail with a link to that address and gives the token in its link.
reset_link() {
    tries=0
    until letter=$(letters_with /passwords/ "$1" | tail -n 1) && [ -n "$letter" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "no mail to $1 in $MAILS"
        sleep 0.1
    done
    sed -n 's|.*/passwords/edit#\([A-Za-z0-9_.=-]*\).*|\1|p' "$letter" | head -n 1
}
