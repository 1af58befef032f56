// Checkproofs judges Merkle proofs by the Go project's own implementation of transparency logs (golang.org/x/mod/sumdb/tlog), one for each line of the
// file that it is given:
//
//	inclusion SIZE ROOT INDEX LEAF HASH...
//	consistency SIZE ROOT OLD-SIZE OLD-ROOT HASH...
//
// Hashes are in base64. It prints "yes" or "no" for each.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		holds, err := judge(strings.Fields(lines.Text()))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if holds {
			fmt.Println("yes")
		} else {
			fmt.Println("no")
		}
	}
}

func judge(fields []string) (bool, error) {
	size, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return false, err
	}
	place, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return false, err
	}
	var hashes []tlog.Hash
	for _, text := range append([]string{fields[2], fields[4]}, fields[5:]...) {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return false, err
		}
		hashes = append(hashes, hash)
	}
	if fields[0] == "inclusion" {
		return tlog.CheckRecord(hashes[2:], size, hashes[0], place, hashes[1]) == nil, nil
	}
	return tlog.CheckTree(hashes[2:], size, hashes[0], place, hashes[1]) == nil, nil
}
