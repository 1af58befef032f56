// Checklog holds a ledger's files against the Go project's own implementation of transparency logs (golang.org/x/mod/sumdb).
//
//	checklog DIRECTORY ED25519-VKEY [SIZE:ROOT...]
//
// It verifies the checkpoint's signature, reads every hash of every tile through tlog.TileHashReader, which authenticates them against the
// checkpoint's root, compares the entries' hashes, proves every 1,000th entry's inclusion, and proves that each earlier SIZE with its ROOT
// (base64) is consistent with the checkpoint.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type reader struct{ dir string }

func (r reader) Height() int { return height }

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		// tlog names the height as well ("tile/8/..."), tlog-tiles does not.
		data, err := r.read(strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1), t.W, tlog.HashSize)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r reader) read(path string, width, size int) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, path))
	if os.IsNotExist(err) {
		// A partial tile that was superseded and removed is the beginning of the full one.
		data, err = os.ReadFile(filepath.Join(r.dir, strings.Split(path, ".p/")[0]))
		if err == nil && size > 0 {
			data = data[:width*size]
		}
	}
	return data, err
}

func (r reader) entries(n int64, width int) ([][]byte, error) {
	t := tlog.Tile{H: height, L: 0, N: n, W: width}
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
	data, err := r.read(path, width, 0)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(data) > 0 && len(all) < width {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, fmt.Errorf("%s is cut short", path)
		}
		all = append(all, data[2:2+length])
		data = data[2+length:]
	}
	if len(all) != width {
		return nil, fmt.Errorf("%s has %d entries, not %d", path, len(all), width)
	}
	return all, nil
}

func main() {
	if err := check(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(dir, vkey string, earlier []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return fmt.Errorf("the checkpoint's text is %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}

	r := reader{dir}
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, r)
	for first := int64(0); first < size; first += 1 << height {
		width := int64(1 << height)
		if size-first < width {
			width = size - first
		}
		if err := checkTile(r, hashes, first, int(width)); err != nil {
			return err
		}
	}
	for i := int64(0); i < size; i += 1000 {
		proof, err := tlog.ProveRecord(size, i, hashes)
		if err != nil {
			return err
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, size, root, i, leaf[0]); err != nil {
			return err
		}
	}
	for _, pair := range earlier {
		if err := checkConsistency(pair, size, root, hashes); err != nil {
			return fmt.Errorf("%s: %w", pair, err)
		}
	}
	fmt.Printf("checked %d entries, %d earlier sizes\n", size, len(earlier))
	return nil
}

func checkTile(r reader, hashes tlog.HashReader, first int64, width int) error {
	var indexes []int64
	for i := 0; i < width; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(i)))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	entries, err := r.entries(first>>height, width)
	if err != nil {
		return err
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != leaves[i] {
			return fmt.Errorf("entry %d is not the one that the tree holds", first+int64(i))
		}
	}
	return nil
}

func checkConsistency(pair string, size int64, root tlog.Hash, hashes tlog.HashReader) error {
	parts := strings.SplitN(pair, ":", 2)
	old, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return err
	}
	oldRoot, err := tlog.ParseHash(parts[1])
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(size, old, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, size, root, old, oldRoot)
}
