#!/usr/bin/env python3
"""An independent reader of vaults, written from the pages beside it and from nothing else.

    reader.py VAULT list                    the images that the ledger names
    reader.py VAULT check [--openssl]       recompute everything, and say what is not as the pages say
    reader.py VAULT export IMAGE OUTPUT     give an image back, every byte proven on the way ('-' is standard output)

It needs Python 3.9 and its standard library; for Brotli records (pack.md, codec 2) the module `brotli` (Debian: python3-brotli);
for --openssl the program openssl, 3.0 or newer. It writes nothing but OUTPUT. Exit codes: 0 done, 1 failed, 2 usage, 3 refuted.
"""
import argparse, base64, functools, hashlib, json, os, re, shutil, struct, subprocess, sys, tempfile, zlib
sys.dont_write_bytecode = True  # nothing is written beside it, either
from xxh128 import xxh128

MIB, PAGE = 1 << 20, 64 << 20
KINDS = {1: "data", 2: "zero", 3: "fill", 4: "hole", 5: "unreadable", 6: "unread"}  # map.md
# What a SubjectPublicKeyInfo on P-256 begins with; then the point's 64 bytes.
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
HEX, KEY_ID, DECIMAL = "[0-9a-f]{64}", "sha256:[0-9a-f]{64}", "0|[1-9][0-9]{0,18}"
INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z"  # README.md
DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}  # manifest.md
findings, notes = [], []  # what refutes the vault, and what is only worth knowing

class Refuted(Exception):
    """Something is not as the pages say: what, and at which byte of the file, where that is known."""

def need(condition, what, offset=None):
    if not condition:
        raise Refuted(what, offset)

def finding(file, what, offset=None):
    findings.append({"file": file, "offset": offset, "what": what})

def guarded(file, function, *arguments, at=None, about=""):
    """Whatever goes wrong over one file is a finding about that file, and the others are read all the same."""
    try:
        return function(*arguments)
    except Refuted as error:
        finding(file, about + error.args[0], error.args[1] if at is None else at)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError, struct.error) as error:
        finding(file, f"{about}It cannot be read: {type(error).__name__}: {error}", at)

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def tree_hash(leaves):
    """README.md: the tree hash, over leaf hashes. The stack has the complete subtrees so far, the largest first."""
    stack = []
    for node in leaves:
        height = 0
        while stack and stack[-1][0] == height:
            node, height = sha256(b"\1", stack.pop()[1], node), height + 1
        stack.append((height, node))
    while len(stack) > 1:
        right = stack.pop()[1]
        stack[-1] = (0, sha256(b"\1", stack[-1][1], right))
    return stack[0][1] if stack else sha256()

def read(vault, name, limit=32 * MIB):
    path = os.path.join(vault, name)
    need(os.path.isfile(path), "It is missing.")
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    need(len(data) <= limit, f"It is longer than {limit} bytes.")
    return data

def first_difference(one, other):
    return next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))

# ---- JSON in its one form (README.md; ledger.md, "Entries") ------------------------------------------------------------------

def to_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

def canonical(data):
    """The value of RFC 8785 JSON whose only numbers are integers. Other spellings of it do not come out the same, and are refused."""
    def no_fraction(text):
        raise ValueError(f"{text} is no integer")

    def in_order(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), "A name stands twice in its JSON.")
        return dict(sorted(pairs, key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")))

    def bounded(value, depth=1):
        need(depth <= 32, "Its JSON is more than 32 levels deep.")
        need(not isinstance(value, int) or abs(value) < 1 << 53, "A number in its JSON is beyond 2^53 - 1.")
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            bounded(child, depth + isinstance(child, (dict, list)))

    try:
        value = json.loads(data.decode(), object_pairs_hook=in_order, parse_float=no_fraction, parse_constant=no_fraction)
        again = to_json(value)
    except (ValueError, RecursionError) as error:
        raise Refuted(f"It is not canonical JSON (RFC 8785): {error}", None)
    need(again == data, "Its JSON is not in canonical form (RFC 8785).", first_difference(again, data))
    bounded(value)
    return value

def field(value, name, kind=str, pattern=None):
    """A field that must be there, of its type and, where a pattern is given, in that spelling."""
    need(type(value) is dict and name in value, f"The field {name!r} is missing.")
    need(type(value[name]) is kind, f"The field {name!r} is not of its type.")
    need(pattern is None or re.fullmatch(pattern, value[name]), f"The field {name!r} is not in its form.")
    return value[name]

def number(value, name):
    return int(field(value, name, str, DECIMAL))

def unbase64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "Base64 is not in its one form.")
    return data

# ---- The vault (vault.md) ----------------------------------------------------------------------------------------------------

def read_settings(vault):
    settings = canonical(read(vault, "vault.json"))
    need(field(settings, "format") == "evidence-vault" and field(settings, "version", int) == 1, "It is no vault of version 1.")
    features, segments = field(settings, "features", dict), field(settings, "segments", dict)
    need(field(features, "required", list) == [], f"It needs features that this reader does not know: {features['required']}.")
    field(features, "optional", list)
    for name, form in ("id", "[0-9a-f]{32}"), ("created", INSTANT), ("compression", "none|fast|best"), ("origin", None):
        field(settings, name, str, form)
    average = number(segments, "average")
    need(field(segments, "rule") == "sector-xxh3" and 4096 <= average <= MIB and average & (average - 1) == 0, "Its rule is not known.")
    return settings

def list_files(vault):
    """Every file but those in the two staging folders and what was set aside. What has no name of a vault's is foreign: told of, and left out."""
    shape = re.compile(rf"vault\.json|replica\.json|packs/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}\.pack|images/{HEX}\.json|documents/([0-9a-f]{{2}})/\2[0-9a-f]{{62}}|openings/{HEX}\.json|ledger/checkpoint|ledger/witnessed|ledger/timestamps/{HEX}\.json")
    names = set()
    for folder, folders, files in os.walk(vault):
        below = os.path.relpath(folder, vault) + "/"
        folders[:] = [name for name in folders if (below + name) not in ("./staging", "ledger/staging")]
        for name in sorted(os.path.normpath(below + name) for name in files):
            if re.fullmatch(rf"damaged/{HEX}(\.[1-9][0-9]{{0,8}})?\.(pack|json|document)", name):
                notes.append(f"{name}: damaged, set aside by a repair, and not used")
            elif (shape.fullmatch(name) or tile_of(name)) and os.path.isfile(os.path.join(vault, name)):
                names.add(name)
            else:
                notes.append(f"{name}: foreign, and not used")
    return names

# ---- The ledger (ledger.md) --------------------------------------------------------------------------------------------------

def tile_name(level, index, width):
    digits = str(index).zfill((len(str(index)) + 2) // 3 * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"ledger/tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")

def tile_of(name):
    match = re.fullmatch(r"ledger/tile/([0-9]|[1-5][0-9]|6[0-3]|entries)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?", name)
    tile = match and (match[1], int(re.sub("[x/]", "", match[2])), int(match[3] or 256))
    return tile if tile and tile[2] > 0 and tile_name(*tile) == name else None

def read_tile(vault, files, level, index, width):
    """The name and the bytes of a tile; where the partial one is missing, the full one serves ("Tiles")."""
    name, full = tile_name(level, index, width), tile_name(level, index, 256)
    name = full if name not in files and full in files else name
    return name, guarded(name, read, vault, name)

def split_bundle(name, data, width):
    """The first `width` entries of a bundle, each with its offset; None in place of those that cannot be had."""
    entries, at = [], 0
    while len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            finding(name, f"It ends within its entry number {len(entries)}.", at)
            return entries + [(at, None)] * (width - len(entries))
        entries.append((at, data[at + 2 : end]))
        at = end
    if at != len(data) and tile_of(name)[2] == width:
        finding(name, "Bytes follow its last entry.", at)
    return entries

def read_checkpoint(vault, name="ledger/checkpoint"):
    return split_note(read(vault, name, 65536))

def split_note(data):
    text = data.decode()
    lines, signatures = text.split("\n"), []
    need(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "It has control characters.")
    need(7 <= len(lines) <= 105 and lines[3] == lines[-1] == "", "It is no note with two signatures.")
    need(re.fullmatch(DECIMAL, lines[1]) and len(unbase64(lines[2])) == 32, "It is no checkpoint.")
    for line in lines[4:-1]:
        match = re.fullmatch(r"\u2014 ([^\s+]+) (\S+)", line)
        need(match and len(unbase64(match[2])) > 4, "A signature line is not in its form.")
        signatures.append((match[1], unbase64(match[2])[:4], unbase64(match[2])[4:]))
    signed = "".join(line + "\n" for line in lines[:3]).encode()
    return {"origin": lines[0], "size": int(lines[1]), "root": unbase64(lines[2]), "signed": signed, "signatures": signatures}

def read_entry(data):
    """ "Entries": the envelope and its payload, each with its exact fields; the payload comes back with what its signatures are over."""
    envelope = canonical(data)
    inner = unbase64(field(envelope, "payload"))
    payload, kind = canonical(inner), field(envelope, "payloadType")
    need(set(envelope) == {"payload", "payloadType", "signatures"}, "The envelope has not its three fields.")
    need(set(payload) == {"kind", "version", "time", "case", "items", "body", "key"}, "The payload has not its seven fields.")
    need(kind == f"application/vnd.evidence.{field(payload, 'kind', str, '[a-z][a-z0-9-]{0,31}')}+json", "The two kinds are not one.")
    need(field(payload, "version", int) == 1 and type(payload["case"]) in (str, type(None)), "Its version or case is not valid.")
    need(all(type(item) is str for item in field(payload, "items", list)), "An item is no string.")
    need(len(to_json(field(payload, "body", dict))) < 16384, "The body is too long.")
    field(payload, "time", str, INSTANT)
    signatures = [(field(each, "keyid", str, KEY_ID), unbase64(field(each, "sig"))) for each in field(envelope, "signatures", list)]
    need(all(len(each) == 2 for each in envelope["signatures"]), "A signature has not its two fields.")
    need(field(payload, "key", str, KEY_ID) in dict(signatures), "No signature is by the key that the payload names.")
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(inner), inner)
    return {**payload, "signed": signed, "signatures": signatures}

def read_ledger(vault, files):
    """The checkpoint and the entries; every tile is held against the tree over them. An entry that the tree does not prove is None."""
    checkpoint = guarded("ledger/checkpoint", read_checkpoint, vault)
    if not checkpoint:
        return None, []
    size, places, entries, tiles = checkpoint["size"], [], [], []
    for index in range((size + 255) // 256):
        width = min(256, size - 256 * index)
        name, data = read_tile(vault, files, "entries", index, width)
        hashes = read_tile(vault, files, "0", index, width)[1]
        if data is None and hashes is None:
            break  # A checkpoint may claim any size: what is not there is not counted through.
        bundle = split_bundle(name, data or b"", width) if data is not None else [(0, None)] * width
        places += [(name, at) for at, _ in bundle]
        entries += [entry for _, entry in bundle]
        tiles += [(hashes or b"")[i : i + 32] for i in range(0, 32 * width, 32)]
    # The leaf hashes are those of the entries or, if these do not give the root, those in the tiles: so it is known which of them is wrong.
    own = [tile if entry is None else sha256(b"\0", entry) for entry, tile in zip(entries, tiles)]
    leaves = next((each for each in (own, tiles) if len(each) == size and tree_hash(each) == checkpoint["root"]), None)
    if leaves is None:
        finding("ledger/checkpoint", f"It has {size} entries; the {len(own)} that are there do not give its root.")
        leaves = own
    for i, (name, at) in enumerate(places):
        if entries[i] is not None and sha256(b"\0", entries[i]) != leaves[i]:
            finding(name, f"Entry {i} is not the one in the tree.", at)
            entries[i] = None
    check_tiles(vault, files, leaves, entries, {name for name, _ in places})
    if "ledger/witnessed" in files:
        guarded("ledger/witnessed", check_witnessed, vault, checkpoint, leaves)
    payloads = []
    for i, (name, at) in enumerate(places):
        payloads.append(guarded(name, read_entry, entries[i], at=at, about=f"Entry {i}: ") if entries[i] is not None else None)
        if payloads[-1]:
            payloads[-1].update(place=name, at=at)
    return checkpoint, payloads

def check_witnessed(vault, checkpoint, leaves):
    """ "Witnesses": the log's own word at an earlier size, cosigned. Whom of the cosigners to believe is not for the vault to say, and not checked here."""
    witnessed = read_checkpoint(vault, "ledger/witnessed")
    need(witnessed["origin"] == checkpoint["origin"], "It is of another log.")
    need(witnessed["size"] <= checkpoint["size"], f"It has {witnessed['size']} entries, the checkpoint {checkpoint['size']}: the ledger was set back.")
    need(tree_hash(leaves[: witnessed["size"]]) == witnessed["root"], f"The ledger's first {witnessed['size']} entries do not give its root.")
    notes.append(f"ledger/witnessed: {witnessed['size']} of {checkpoint['size']} entries; its {len(witnessed['signatures'])} signature lines were not checked")

def check_tiles(vault, files, leaves, entries, bundles_read):
    levels = [leaves]
    while len(levels[-1]) >= 256:
        levels.append([tree_hash(levels[-1][i : i + 256]) for i in range(0, len(levels[-1]) - 255, 256)])
        for index in range((len(levels[-1]) + 255) // 256):
            names = [tile_name(len(levels) - 1, index, width) for width in (min(256, len(levels[-1]) - 256 * index), 256)]
            if not files.intersection(names):
                finding(names[0], "It is missing.")
    for name in sorted(name for name in files - bundles_read if name.startswith("ledger/tile/")):
        level, index, width = tile_of(name)
        row = entries if level == "entries" else levels[int(level)] if int(level) < len(levels) else []
        expected = row[256 * index : 256 * index + width]
        if len(expected) < width:
            notes.append(f"{name}: past the checkpoint's size: an append was interrupted, or the checkpoint was set back")
        elif None not in expected:
            expected = b"".join(len(each).to_bytes(2, "big") + each if level == "entries" else each for each in expected)
            data = guarded(name, read, vault, name)
            if data not in (None, expected):
                finding(name, "It is not what the tree has at its place.", first_difference(data, expected))

def check_entries(payloads):
    """ "What a signature is worth": keys are declared, replaced and ended in order. Signatures themselves are checked only through openssl."""
    said = {}
    actors, first, revokers, ended, own, identity, brought, rotated, compromised = {}, {}, {}, {}, set(), None, {}, set(), {}
    for i, entry in enumerate(payloads):
        if not entry:
            continue
        body, known, declared, signers = entry["body"], dict(actors), None, dict(entry["signatures"])
        if said.setdefault(sha256(entry["signed"]), i) != i:
            notes.append(f"ledger entry {i}: it has the payload of entry {said[sha256(entry['signed'])]}, and counts once with it")
        subject = body.get("subject") if entry["kind"] == "identity" else None
        if subject in ("actor", "rotation"):
            der = guarded(entry["place"], unbase64, body.get("publicKey"), at=entry["at"], about=f"Entry {i}: ") or b""
            declared = "sha256:" + sha256(der).hex()
            if len(der) != 91 or der[:27] != P256:
                finding(entry["place"], f"Entry {i}: the declared key is not one on P-256.", entry["at"])
                declared = None
            elif body.get("keyId") != declared:
                finding(entry["place"], f"Entry {i}: the declared key has another id.", entry["at"])
                declared = None
            else:
                known.setdefault(declared, der)
        elif subject == "vault":
            identity = identity or entry
        if i == 0 and not (subject == "actor" and declared) or i == 1 and not identity:
            finding(entry["place"], f"Entry {i}: a ledger begins with the identity of an actor, then that of the vault.", entry["at"])
        by = entry["key"]
        if options.openssl and any(key in known and not verifies(known[key], sig, entry["signed"]) for key, sig in entry["signatures"]):
            finding(entry["place"], f"Entry {i}: its signature is wrong.", entry["at"])
        elif by not in actors and not (subject == "actor" and declared == by):
            notes.append(f"ledger entry {i}: its signer {by} is not declared up to here")
        elif by in ended and not (subject == "revocation" and body.get("keyId") == by):
            notes.append(f"ledger entry {i}: its signer {by} was ended by entry {ended[by]}")
        elif subject == "actor" and declared and (declared not in actors or declared in signers and declared not in own and declared not in ended):
            actors[declared], first[declared] = der, declared
            own.update({declared}.intersection(signers))
            revokers[declared] = [str(each) for each in body.get("revokers", [])] if declared in signers else []
            brought.pop(declared, None) if declared in signers else brought.update({declared: (i, by)})
        elif subject == "rotation":
            if body.get("replaces") != by or not declared or declared == by or declared in ended or declared in rotated or declared not in signers:
                notes.append(f"ledger entry {i}: it puts no key in the place of another")
            else:
                revokers[declared] = revokers[by] + revokers.get(declared, [])
                actors[declared], first[declared], ended[by], brought[declared] = der, first[by], i, (i, by)
                own.add(declared), rotated.add(declared)
        elif subject == "revocation":
            key = str(body.get("keyId"))
            if key in actors and (key == by or first[by] == first[key] or first[by] in revokers[key]):
                ended.setdefault(key, i)
                notes.append(f"ledger entry {i}: the key {key} is revoked; compromised since {body.get('compromisedSince', 'no instant that is told')}")
                if "compromisedSince" in body:
                    compromised.setdefault(key, []).append(i)
            else:
                notes.append(f"ledger entry {i}: it revokes nothing")
    # "What is known later": of each key whose way in leads over one that was called compromised after that. Whether it was there before, others' word can show.
    over = {}
    for key, (place, by) in sorted(brought.items(), key=lambda each: each[1][0]):
        told = [i for i in compromised.get(by, []) if i > place]
        over[key] = (place, by, told[0]) if told else over.get(by) if place > brought.get(by, (place,))[0] else None
        if over[key]:
            notes.append("the key {} goes back, through entry {}, to {}, which entry {} says was compromised: NOT CHECKED whether that was there before".format(key, *over[key]))
    return identity

def check_timestamps(vault, files, payloads):
    """Time stamps are as their names say, and those that entries name are there, over what they say. The tokens themselves are for openssl ts."""
    stamped = {}
    for i, entry in enumerate(payloads):
        if entry and entry["kind"] == "timestamp":
            name = f"ledger/timestamps/{guarded(entry['place'], field, entry['body'], 'document', str, HEX, at=entry['at'], about=f'Entry {i}: ')}.json"
            if name not in files:
                finding(name, f"It is missing, although entry {i} names it.")
            stamped.setdefault(name, []).append((i, entry["body"]))
    for name in sorted(name for name in files if name.startswith("ledger/timestamps/")):
        data = guarded(name, read, vault, name, 32 * MIB)
        if data is not None and sha256(data).hex() != name[18:82]:
            finding(name, "It is not the file that its name says.")
        elif data is not None:
            guarded(name, check_timestamp, name, data, stamped.get(name, []))

def check_timestamp(name, data, named_by):
    document = canonical(data)
    need(field(document, "version", int) == 1 and set(document) == {"version", "note", "token", "certificates", "revocationLists", "lacking", "source"}, "It has not its fields.")
    need(len(field(document, "certificates", list)) <= 16 and len(field(document, "revocationLists", list)) <= 64, "It has more in it than a time stamp may have.")
    need(len(unbase64(field(document, "token"))) <= MIB, "Its token is longer than 1 MiB.")
    note = split_note(unbase64(field(document, "note")))
    for i, body in named_by:
        if body.get("size") != str(note["size"]) or body.get("root") != note["root"].hex():
            notes.append(f"ledger entry {i}: it says another size or root of {name} than stand in that")

def named_in(node, *keys):
    """The digests that an entry's body names by fields of these names, at whatever depth (vault.md, "Documents" and "Openings")."""
    if type(node) is list:
        return {name for item in node for name in named_in(item, *keys)}
    if type(node) is not dict:
        return set()
    named = {key: type(value) is str and key in keys and re.fullmatch(HEX, value) for key, value in node.items()}
    return {value for key, value in node.items() if named[key]} | {name for key, value in node.items() if not named[key] for name in named_in(value, *keys)}

def check_documents(vault, files, payloads):
    """Documents are as their names say, and those that entries name are there."""
    named = {}
    for i, entry in enumerate(payloads):
        for name in named_in(entry["body"], "document", "policy", "calendar") if entry and entry["kind"] != "timestamp" else ():
            named.setdefault(f"documents/{name[:2]}/{name}", i)
    for name in sorted(name for name in files if name.startswith("documents/")):
        if name not in named:
            notes.append(f"{name}: unrecorded: no entry of the ledger names it")
        if guarded(name, digest_of, vault, name) not in (None, name[13:]):
            finding(name, "It is not the file that its name says.") if name in named else notes.append(f"{name}: not the file that its name says")
    for name in sorted(set(named) - files):
        if "replica.json" in files:
            notes.append(f"{name}: absent from this replica, although entry {named[name]} names it")
        else:
            finding(name, f"It is missing, although entry {named[name]} names it.")

def check_openings(vault, files, payloads):
    """Openings are as their names say. One that is not there refutes nothing: it was destroyed, or this is a replica, or it was lost."""
    committed, erased = {}, {}
    for i, entry in enumerate(payloads):
        for name in named_in(entry["body"], "contact") if entry else ():
            committed.setdefault(f"openings/{name}.json", i)
        if entry and entry["kind"] == "erasure" and type(entry["body"].get("opening")) is str:
            erased.setdefault(f"openings/{entry['body']['opening']}.json", i)
    for name in sorted(name for name in files if name.startswith("openings/")):
        good = guarded(name, digest_of, vault, name) in (None, name[9:73])
        if name in erased:
            notes.append(f"{name}: still here, although entry {erased[name]} says that it was destroyed")
        elif name not in committed:
            notes.append(f"{name}: unrecorded: no entry of the ledger commits to it" + ("" if good else ", and it is not the file that its name says"))
        elif not good:
            finding(name, "It is not the file that its name says.")
    for name in sorted(set(committed) - files):
        why = f"destroyed by entry {erased[name]}" if name in erased else "not in this replica" if "replica.json" in files else "MISSING, and no entry says that it was destroyed"
        notes.append(f"{name}: {why}; entry {committed[name]} commits to it")

def digest_of(vault, name):
    hash = hashlib.sha256()
    with open(os.path.join(vault, name), "rb") as file:
        while data := file.read(MIB):
            hash.update(data)
    return hash.hexdigest()

def check_identity(vault, settings, checkpoint, identity):
    """The entry that declares the vault, against vault.json and the checkpoint."""
    need(identity, "No entry declares the vault.")
    body, by = identity["body"], set()
    data = guarded("vault.json", read, vault, "vault.json")
    if data is not None and sha256(data).hex() != body.get("vault"):
        finding("vault.json", f"Its SHA-256 is {sha256(data).hex()}; the ledger says {body.get('vault')}.")
    if settings and settings["origin"] != checkpoint["origin"]:
        finding("vault.json", "Its origin is not the checkpoint's.")
    need(checkpoint["origin"] == body.get("origin"), "Its origin is not the one that the ledger declares.")
    for verifier in field(body, "keys", list):
        name, key_id, key = verifier.split("+", 2)
        kind, key = unbase64(key)[:1], unbase64(key)[1:]
        need(kind in (b"\1", b"\2"), "A key of the log is of an unknown type.")
        expected = sha256(name.encode(), b"\n\1", key)[:4] if kind == b"\1" else sha256(key)[:4]
        need(expected.hex() == key_id and name == checkpoint["origin"], "A key of the log has not its id.")
        notes.append(f"log key, to be compared with what is known from elsewhere: {verifier}")
        der = bytes.fromhex("302a300506032b6570032100") + key if kind == b"\1" else key  # RFC 8410's head, for Ed25519
        for signature in (each[2] for each in checkpoint["signatures"] if each[:2] == (name, expected)):
            by.add(kind)
            if options.openssl and not verifies(der, signature, checkpoint["signed"], kind == b"\1"):
                finding("ledger/checkpoint", f"The signature by {verifier} is wrong.")
    need(len(by) == 2, "It is not signed by both keys of the log.")

def verifies(der, signature, data, ed25519=False):
    """Runs openssl over three small files, with the commands of ledger.md."""
    with tempfile.TemporaryDirectory() as folder:
        key, sig, text = (os.path.join(folder, name) for name in ("key", "sig", "text"))
        for path, content in (key, der), (sig, signature), (text, data):
            with open(path, "wb") as file:
                file.write(content)
        command = (["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin", "-in", text, "-sigfile", sig] if ed25519
                   else ["dgst", "-sha256", "-keyform", "DER", "-verify", key, "-signature", sig, text])
        return subprocess.run(["openssl", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

def acquisitions(payloads):
    """For each image that the ledger names: the entries that name it, with their numbers."""
    images = {}
    for i, entry in enumerate(payloads):
        if entry and entry["kind"] == "acquisition":
            image = guarded(entry["place"], field, entry["body"], "image", str, HEX, at=entry["at"], about=f"Entry {i}: ")
            images.setdefault(image, []).append((i, entry))
    images.pop(None, None)
    return images

# ---- Packs (pack.md) ---------------------------------------------------------------------------------------------------------

def read_index(vault, name):
    """A pack's records by place, as its index has them: (offset, record header). A damaged index is reported and still used, because
    every content is proven by its own id; but records that overlap are not."""
    with open(os.path.join(vault, name), "rb") as file:
        size = file.seek(0, os.SEEK_END)
        need(size >= 64 + 65 + 72 + 64, "It is too short for a pack.")
        file.seek(0)
        header = file.read(64)
        file.seek(size - 64)
        index_at, count, zero, digest, zeros, magic = struct.unpack("<QII32sQ8s", file.read(64))
        need(magic == b"EVPKEND\n" and zero == zeros == 0 and count >= 1 and 64 <= index_at == size - 64 - 72 * count,
             "Its footer is damaged, or the file is cut off.", size - 64)
        file.seek(index_at)
        index = file.read(72 * count)
    need(header[8:16] == b"\1" + bytes(7), "Its version, flags or encryption scheme are not known.", 8)
    if header[:48] != b"\x89EVPK\r\n\x1a\1" + bytes(39) or header[48:] != xxh128(header[:48]):
        finding(name, "Its header is damaged.", 0)
    if not sha256(index) == digest == bytes.fromhex(name[-69:-5]):
        finding(name, "The SHA-256 of its index, the one in its footer, and its name are not the same.", index_at)
    ids = [index[i : i + 32] for i in range(0, len(index), 72)]
    if any(one >= other for one, other in zip(ids, ids[1:])):
        finding(name, "Its index is not sorted, or has an id twice.", index_at)
    records, end, gap = [], 64, None
    for at, record in sorted((struct.unpack_from("<Q", index, i + 64)[0], index[i : i + 64]) for i in range(0, len(index), 72)):
        gap = end if gap is None and at != end else gap
        if end <= at <= index_at - 65:
            records.append((at, record))
            end = at + 64 + struct.unpack_from("<I", record, 36)[0]
    if gap is not None or end != index_at:
        finding(name, "Its records do not lie end to end up to the index.", end if gap is None else gap)
    return records

def read_record(file, at, header, checksums=False):
    """A record's content, proven by its id. What its header claims is held against the page's bounds before it is used."""
    identity, codec, stored, length, zero, checksum = struct.unpack("<32sIIII16s", header)
    need(codec in (0, 1, 2) and zero == 0 and 1 <= length <= 16 * MIB and (stored == length if codec == 0 else 1 <= stored < length),
         f"The header of segment {identity.hex()} is not valid.", at)
    file.seek(at + 64)
    data = file.read(stored)
    content = data if codec == 0 else inflate(data, length) if codec == 1 else unbrotli(data, length)
    need(content is not None and sha256(content) == identity, f"The content of segment {identity.hex()} is not what its id says.", at)
    return content, not checksums or checksum == xxh128(header[:48] + data)

def inflate(data, length):
    """Exactly `length` bytes from all of `data`, or None."""
    try:
        stream = zlib.decompressobj(-15)
        content = stream.decompress(data, length + 1)
        return content if stream.eof and not stream.unused_data and len(content) == length else None
    except zlib.error:
        return None

def unbrotli(data, length):
    """The same. The stream is fed in small pieces, so that one that swells is stopped; its last byte alone, so that it must end there."""
    try:
        import brotli
    except ImportError:
        sys.exit("reader.py: this vault has Brotli records, which need the module brotli (Debian: python3-brotli, for /usr/bin/python3)")
    try:
        stream, content = brotli.Decompressor(), bytearray()
        for piece in [*(data[i : min(i + 64, len(data) - 1)] for i in range(0, len(data) - 1, 64)), data[-1:]]:
            if len(content) > length or stream.is_finished():
                return None
            content += stream.process(piece)
        return bytes(content) if stream.is_finished() and len(content) == length else None
    except brotli.error:
        return None

def check_pack(vault, name, store):
    records = read_index(vault, name)
    with open(os.path.join(vault, name), "rb") as file:
        for at, header in records:
            identity = header[:32]
            file.seek(at)
            if file.read(64) != header:
                finding(name, f"The header of segment {identity.hex()} is not what the index has.", at)
            result = guarded(name, read_record, file, at, header, options.checksums)
            if not result:
                store["damaged"][identity] = f"{name} at byte {at}"
                continue
            store["places"][identity] = (name, at, header)
            if not result[1]:
                finding(name, f"The checksum of segment {identity.hex()} is not that of its stored bytes; its content is right.", at)

# ---- Images (manifest.md, map.md) --------------------------------------------------------------------------------------------

def locate(store, identity, length):
    """Where a segment is, if it is there whole and as long as it must be."""
    place = store["places"].get(identity)
    need(place, f"segment {identity.hex()} is in no pack" if identity not in store["damaged"] else
         f"segment {identity.hex()} is damaged in {store['damaged'][identity]}")
    need(length in (None, struct.unpack_from("<I", place[2], 40)[0]), f"segment {identity.hex()} has another length")
    return place

def fetch(vault, store, identity, length=None):
    name, at, header = locate(store, identity, length)
    with open(os.path.join(vault, name), "rb") as file:
        return read_record(file, at, header)[0]

def read_manifest(vault, settings, image):
    data = read(vault, f"images/{image}.json", 64 * MIB)
    need(sha256(data).hex() == image, f"Its SHA-256 is {sha256(data).hex()}, not its name.")
    manifest = canonical(data)
    need(field(manifest, "format") == "evidence-image" and field(manifest, "version", int) == 1, "It is no image of version 1.")
    size, layout, totals, source, tool, made_with = number(manifest, "size"), *(
        field(manifest, name, dict) for name in ("map", "totals", "source", "tool", "options"))
    pages, tables = -(-size // PAGE), field(layout, "tables", list)
    field(layout, "root", str, HEX)
    need(number(layout, "pages") == pages and len(tables) == -(-pages // 1024), "Its pages or tables are not as many as its size needs.")
    need(all(type(table) is str and re.fullmatch(HEX, table) for table in tables), "The id of a table is not in its form.")
    need(not settings or field(manifest, "segments", dict) == settings["segments"], "Its segments are not the vault's.")
    need(sum(number(totals, kind) for kind in KINDS.values()) == size, "Its totals do not add up to its size.")
    for absent in field(manifest, "absent", list):
        field(absent, "kind", str, "unreadable|unread"), number(absent, "offset"), number(absent, "length"), field(absent, "reason", str)
    for run in field(manifest, "runs", list):
        field(run, "started", str, INSTANT), number(run, "held")
    for change in field(manifest, "differences", list):
        field(change, "what", str, "shorter|longer|modified|content|gone"), number(change, "offset"), number(change, "length")
    need("continues" in manifest and re.fullmatch(HEX, manifest["continues"] or "0" * 64), "The field 'continues' is not valid.")
    for digest in field(manifest, "digests", list):
        scope = field(digest, "scope", dict)
        field(digest, "value", str, f"[0-9a-f]{{{DIGITS.get(field(digest, 'algorithm'), 0)}}}")
        field(scope, "absent", str, "zeros"), field(scope, "tail", str, "included")
        need(digest["value"] and number(scope, "offset") + number(scope, "length") <= size, "A digest is not in its form.")
    for where, name, form in ((manifest, "started", INSTANT), (manifest, "finished", INSTANT), (source, "kind", "file|split|device|stream|nbd"),
                              (source, "name", None), (tool, "name", None), (tool, "version", None),
                              (made_with, "compression", "none|fast|best"), (made_with, "holes", "recorded|read")):
        field(where, name, str, form)
    for name in {"writeBlocker", "seal"} & manifest.keys():
        field(manifest, name, str)
    if "clock" in manifest:
        clock = field(manifest, "clock", dict)
        field(clock, "synchronised", bool), number(clock, "maximumError"), number(clock, "estimatedError")
    need("examiner" in manifest and type(manifest["examiner"]) in (str, type(None)), "The field 'examiner' is not valid.")
    return manifest

def read_page(vault, store, identity, root, length, last):
    """The runs of a page, as (offset, length, kind, byte, id): they tile it, and give the root that its table has."""
    data = fetch(vault, store, identity)
    need(len(data) % 44 == 16 and data[:16] == b"EVPAGE1\n" + struct.pack("<II", length, len(data) // 44), "the page's head is not right")
    runs, end, before = [], 0, 0
    for at, size, kind, byte, zero, segment in struct.iter_unpack("<IIBBH32s", data[16:]):
        need(at == end and size >= 1 and zero == 0 and kind in KINDS, f"the page's run at {at} is not valid, or leaves a gap, or overlaps")
        need((kind == 3) == (byte != 0) and (kind == 1 or segment == bytes(32)), f"the page's run at {at} has what its kind has not")
        end = at + size
        need(kind < 4 or kind != before and at % 512 == 0 and (end % 512 == 0 or last and end == length),
             f"the page's run at {at} was not read, and is not of whole sectors or not one with its neighbour")
        runs.append((at, size, kind, byte, segment))
        before = kind
    need(end == length, "the page's runs do not end where it ends")
    need(tree_hash(sha256(b"\0", data[i : i + 44]) for i in range(16, len(data), 44)) == root, "the page has not the root in its table")
    return runs

def pages_of(vault, store, manifest):
    """Each page in order: offset, length, id, root, whether it is the last. For a lost table one item, with the reason as its root."""
    size, count = int(manifest["size"]), int(manifest["map"]["pages"])
    for first, table in zip(range(0, count, 1024), manifest["map"]["tables"]):
        entries = min(1024, count - first)
        try:
            data = fetch(vault, store, bytes.fromhex(table), 64 * entries)
        except Refuted as error:
            yield first * PAGE, min(1024 * PAGE, size - first * PAGE), None, f"page table: {error.args[0]}", False
            continue
        for i in range(entries):
            at = (first + i) * PAGE
            yield at, min(PAGE, size - at), data[64 * i + 32 : 64 * i + 64], data[64 * i : 64 * i + 32], first + i + 1 == count

def check_image(vault, settings, store, image, recorded):
    name, manifest = f"images/{image}.json", read_manifest(vault, settings, image)
    claimed = {digest["algorithm"]: digest["value"] for digest in manifest["digests"]}
    not_read = str(int(manifest["totals"]["unreadable"]) + int(manifest["totals"]["unread"]))
    expected = {"root": manifest["map"]["root"], "size": manifest["size"], "digests": claimed, "absentBytes": not_read,
                "continues": manifest["continues"], "differences": [change["what"] for change in manifest["differences"]]}
    for i, entry in recorded:
        for what in (what for what in expected if entry["body"].get(what) != expected[what]):
            finding(name, f"Ledger entry {i} has another {what}.")

    @functools.lru_cache(64)
    def judge(*page):  # A page's bytes by kind, its absent ranges, and (offset, length, why) of what is lost.
        counts, absent, lost = dict.fromkeys(KINDS.values(), 0), [], []
        for at, size, kind, _, segment in read_page(vault, store, *page):
            counts[KINDS[kind]] += size
            if kind >= 5:
                absent.append((at, size, KINDS[kind]))
            try:
                kind == 1 and locate(store, segment, size)
            except Refuted as error:
                lost.append((at, size, error.args[0]))
        return counts, absent, lost

    totals, absent, lost, roots, whole = dict.fromkeys(KINDS.values(), 0), [], [], [], True
    for at, length, identity, root, last in pages_of(vault, store, manifest):
        roots.append(root if identity is None else sha256(b"\0", root))
        try:
            need(identity is not None, root)
            counts, page_absent, page_lost = judge(identity, root, length, last)
        except Refuted as error:
            lost, whole = join(lost, at, length, error.args[0]), False
            continue
        totals = {kind: totals[kind] + counts[kind] for kind in totals}
        for start, size, why in page_lost:
            lost = join(lost, at + start, size, why)
        for start, size, kind in page_absent if len(absent) <= len(manifest["absent"]) else ():
            absent = join(absent, at + start, size, kind)
    items = ", ".join(item for _, entry in recorded for item in entry["items"]) or "no entry names it"
    for at, size, why in lost:
        finding(name, f"Bytes {at} to {at + size - 1} of the image ({items}) are lost: {why}.")
    if all(type(root) is bytes for root in roots) and tree_hash(roots).hex() != manifest["map"]["root"]:
        finding(name, "The root over its pages is not the manifest's.")
    if whole and totals != {kind: int(manifest["totals"][kind]) for kind in totals}:
        finding(name, "The totals of its runs are not the manifest's.")
    listed = []
    for each in manifest["absent"]:
        listed = join(listed, int(each["offset"]), int(each["length"]), each["kind"])
    if whole and absent != listed:
        finding(name, "What was not read is not what the manifest lists as absent.")
    if options.digests and not lost:
        write_image(vault, store, manifest, None, name)

def join(ranges, at, size, what):
    """Adds a range, to the last one where it only goes on."""
    if ranges and ranges[-1][0] + ranges[-1][1] == at and ranges[-1][2] == what:
        at, size = ranges[-1][0], ranges.pop()[1] + size
    ranges.append((at, size, what))
    return ranges

def write_image(vault, store, manifest, out, name):
    """The image's bytes in order; with --digests also held against the manifest's digests, each over its own range."""
    hashes = [(hashlib.new(each["algorithm"]), number(each["scope"], "offset"), number(each["scope"], "length"), each)
              for each in manifest["digests"] if options.digests]
    for start, length, identity, root, last in pages_of(vault, store, manifest):
        need(identity is not None, root)
        for at, size, kind, byte, segment in read_page(vault, store, identity, root, length, last):
            position, end = start + at, start + at + size
            while position < end:
                data = fetch(vault, store, segment, size) if kind == 1 else bytes([byte]) * min(MIB, end - position)
                if out:
                    out.write(data)
                for hash, first, many, _ in hashes:
                    hash.update(data[max(0, first - position) : max(0, first + many - position)])
                position += len(data)
    for hash, first, many, digest in hashes:
        notes.append(f"{name}: {digest['algorithm']} of {many} bytes from {first} on: {hash.hexdigest()}")
        if hash.hexdigest() != digest["value"]:
            finding(name, f"The {digest['algorithm']} of its bytes is {hash.hexdigest()}; the manifest says {digest['value']}.")
    return True

# ---- The commands ------------------------------------------------------------------------------------------------------------

def say(text, stream=None):
    """A vault's strings are not let loose on a terminal: what is not printable is escaped."""
    print("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text), file=stream or sys.stdout)

def command_list(vault, files):
    for image, recorded in acquisitions(read_ledger(vault, files)[1]).items():
        for i, entry in recorded:
            say(f"{', '.join(entry['items'])}  case {entry['case'] or '-'}  sha256:{image}  {entry['body'].get('size')} bytes"
                f"  root {entry['body'].get('root')}  (entry {i})")

def command_check(vault, files):
    settings = guarded("vault.json", read_settings, vault)
    checkpoint, payloads = read_ledger(vault, files)
    if checkpoint:
        guarded("ledger/checkpoint", check_identity, vault, settings, checkpoint, check_entries(payloads))
    check_timestamps(vault, files, payloads or [])
    check_documents(vault, files, payloads or [])
    check_openings(vault, files, payloads or [])
    store, recorded = {"places": {}, "damaged": {}}, acquisitions(payloads)
    packs, images = ([name for name in sorted(files) if name.startswith(folder)] for folder in ("packs/", "images/"))
    for name in packs:
        guarded(name, check_pack, vault, name, store)
    for image in sorted({name[7:-5] for name in images} | set(recorded)):
        if image not in recorded:
            notes.append(f"images/{image}.json: unrecorded: no entry of the ledger names it")
        guarded(f"images/{image}.json", check_image, vault, settings, store, image, recorded.get(image, []))
    notes.append(f"{len(payloads)} ledger entries, {len(packs)} packs, {len(store['places'])} segments, {len(images)} images")
    for done, what in ((options.openssl, "the signatures, so not who wrote the ledger: Python has no ECDSA and no Ed25519; use --openssl"),
                       (options.checksums, "XXH128: a compressed record that changed, but not its content, goes unseen"),
                       (options.digests, "the digests of whole images (--digests computes them); their segments were checked one by one"),
                       (False, "whether images are cut by the rule (map.md), and whatever is only claimed, such as names and instants")):
        if not done:
            notes.append(f"NOT CHECKED: {what}")

def command_export(vault, files):
    settings, wanted = guarded("vault.json", read_settings, vault), options.image
    recorded = acquisitions(read_ledger(vault, files)[1])
    known = set(recorded) | {name[7:-5] for name in files if name.startswith("images/")}
    digits = wanted[7:] if re.fullmatch("sha256:[0-9a-f]{8,64}", wanted) else None
    chosen = [image for image in known if digits and image.startswith(digits)
              or any(wanted in entry["items"] for _, entry in recorded.get(image, ()))]
    if len(chosen) != 1:
        sys.exit(f"reader.py: {len(chosen)} images are called {ascii(wanted)}: see 'list', and give sha256: and eight digits or more")
    name, store, done = f"images/{chosen[0]}.json", {"places": {}, "damaged": {}}, False
    for pack in sorted(name for name in files if name.startswith("packs/")):
        for at, header in guarded(pack, read_index, vault, pack) or ():
            store["places"].setdefault(header[:32], (pack, at, header))
    manifest = guarded(name, read_manifest, vault, settings, chosen[0])
    if manifest:
        with sys.stdout.buffer if options.output == "-" else open(options.output, "xb") as out:
            done = guarded(name, write_image, vault, store, manifest, out, name)
        for absent in manifest["absent"]:
            notes.append(f"{absent['length']} bytes from {absent['offset']} on are zeros because they were not read ({absent['kind']})")
    notes.append("the export is whole, and every segment is what its id says" if done else "THE EXPORT IS NOT WHOLE")

def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    check, export = commands.add_parser("check"), commands.add_parser("export")
    check.add_argument("--openssl", action="store_true", help="check the signatures too, by the program openssl")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("--no-checksums", dest="checksums", action="store_false", help="leave out XXH128, which is slow in Python")
    export.add_argument("image", help="an item, or sha256: and at least eight digits of the image's id")
    export.add_argument("output", help="a file that does not exist yet, or - for standard output")
    for command in check, export:
        command.add_argument("--digests", action="store_true", help="also compute the digests of whole images")
    options = parser.parse_args()
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(errors="backslashreplace")
    if not os.path.isdir(options.vault):
        sys.exit(f"reader.py: there is no folder {options.vault}")
    if getattr(options, "openssl", False) and not shutil.which("openssl"):
        sys.exit("reader.py: there is no program openssl")
    run = {"list": command_list, "check": command_check, "export": command_export}[options.command]
    try:
        run(options.vault, list_files(options.vault))
    except OSError as error:
        sys.exit(f"reader.py: {error}")
    if getattr(options, "json", False):
        print(json.dumps({"refuted": bool(findings), "findings": findings, "notes": notes}))
    else:
        told = sys.stdout if options.command == "check" else sys.stderr
        for note in notes:
            say(note, told)
        for each in findings:
            say(f"REFUTED {each['file']}" + ("" if each["offset"] is None else f" at byte {each['offset']}") + f": {each['what']}", told)
        if options.command == "check":
            say(f"{len(findings)} findings" if findings else "Nothing was found wrong.")
    sys.exit(3 if findings else 0)

if __name__ == "__main__":
    main()
