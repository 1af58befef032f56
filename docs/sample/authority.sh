#!/bin/sh
# Makes a time-stamp authority (RFC 3161) in the folder where it is run, of nothing but openssl: a root, its revocation list, a certificate for time stamping that says
# where that list is, and what `openssl ts -reply -config authority.cnf -queryfile QUESTION -out ANSWER` needs; authority.py serves it. For demonstrations: its keys
# lie there without a password.
#
# usage: authority.sh URL
set -eu
cat > authority.cnf <<CONFIG
[ca]
default_ca = root
[root]
database = index.txt
crlnumber = crlnumber
certificate = root.pem
private_key = root.key
default_md = sha256
default_crl_days = 30
[tsa]
default_tsa = clock
[clock]
serial = serial
signer_cert = clock.pem
signer_key = clock.key
certs = root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[root_extensions]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[clock_extensions]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
crlDistributionPoints = URI:${1}root.crl
[request]
distinguished_name = name
[name]
CONFIG
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -config authority.cnf -x509 $key -subj '/CN=Example Root' -days 3650 -extensions root_extensions -keyout root.key -out root.pem 2>&1 | sed '/^-*$/d'
openssl req -config authority.cnf $key -subj '/CN=Example Clock' -keyout clock.key -out clock.csr 2>&1 | sed '/^-*$/d'
openssl x509 -req -in clock.csr -CA root.pem -CAkey root.key -CAcreateserial -days 3650 -extfile authority.cnf -extensions clock_extensions -out clock.pem 2> /dev/null
: > index.txt
echo 01 > crlnumber
echo 01 > serial
openssl ca -config authority.cnf -gencrl -out root.crl.pem 2> /dev/null
openssl crl -in root.crl.pem -outform DER -out root.crl
echo "Made a time-stamp authority: its root is root.pem, its revocation list root.crl."
