#!/usr/bin/env bash
# Makes the certificates of the TLS tests anew, beside this script. They are good from 2020 to 2120, but for the one that
# is expired. The key is for tests only, and the keys of the authorities are thrown away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cat >"$work/ca.cnf" <<END
[ca]
default_ca = one
[one]
new_certs_dir = $work
database = $work/index
rand_serial = yes
default_md = sha256
policy = any
email_in_dn = no
[any]
commonName = supplied
END
touch "$work/index"
echo 'unique_subject = no' >"$work/index.attr"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# sign FILE COMMON-NAME KEY END-OF-LIFE EXTENSIONS OPTION...
sign() {
  local file="$1" name="$2" key="$3" until="$4" extensions="$5"
  shift 5
  openssl req -new -key "$key" -subj "/CN=$name" -out "$work/request"
  openssl ca -config "$work/ca.cnf" -batch -notext -in "$work/request" -out "$file.pem" \
    -startdate 20200101000000Z -enddate "$until" -extfile <(printf '%b' "$extensions") "$@" 2>/dev/null
}

# authority FILE NAME
authority() {
  key "$work/$1.key"
  sign "$1" "$2" "$work/$1.key" 21200101000000Z \
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' -selfsign -keyfile "$work/$1.key"
}

# leaf FILE NAME ALTERNATIVE-NAMES AUTHORITY [END-OF-LIFE]
leaf() {
  sign "$1" "$2" key.pem "${5:-21200101000000Z}" "subjectAltName=$3\nbasicConstraints=CA:FALSE\n" \
    -cert "$4.pem" -keyfile "$work/$4.key"
}

authority authority 'ninja-tcp tests'
authority other-authority 'another authority'
key key.pem
here='DNS:localhost,IP:127.0.0.1'
leaf server localhost "$here" authority
leaf expired localhost "$here" authority 20200102000000Z
leaf elsewhere elsewhere.example DNS:elsewhere.example authority
leaf client 'till 7' DNS:till-7.example authority
leaf stranger localhost "$here" other-authority
rm other-authority.pem
chmod 644 -- *.pem
