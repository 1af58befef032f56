// Opencosigned opens a cosigned checkpoint by the Go project's own implementation of signed notes (golang.org/x/mod/sumdb/note), with a verifier of
// cosignatures (c2sp.org/tlog-cosignature, cosignature/v1) over Go's own Ed25519:
//
//	opencosigned FILE LOG-VKEY WITNESS-VKEY...
//
// It prints the text, and the name of each verified signature.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func parse(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	if len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, fmt.Errorf("%s is no witness's key", vkey)
	}
	return cosigner{parts[0], uint32(hash), key[1:]}, nil
}

func main() {
	if err := open(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(file, log string, witnesses []string) error {
	logVerifier, err := note.NewVerifier(log)
	if err != nil {
		return err
	}
	verifiers := []note.Verifier{logVerifier}
	for _, vkey := range witnesses {
		verifier, err := parse(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	signed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	fmt.Print(opened.Text)
	for _, sig := range opened.Sigs {
		fmt.Println(sig.Name)
	}
	return nil
}
