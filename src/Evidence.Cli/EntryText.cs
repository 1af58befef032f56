using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;

namespace Evidence.Cli;

/// <summary>Custody entries as sentences, for somebody who has never seen the tool.</summary>
internal static class EntryText
{
    internal static JsonObject ToJson(JudgedEntry judged)
    {
        var json = new JsonObject { ["entry"] = DecimalText.Format(judged.Index) };
        if (judged.Entry is not { } entry)
        {
            json["defect"] = judged.Defect;
            return json;
        }

        json["leaf"] = entry.LeafHash.ToString();
        json["kind"] = entry.Payload.Kind;
        json["time"] = Timestamps.Format(entry.Payload.Time);
        json["case"] = entry.Payload.Case;
        json["items"] = new JsonArray([.. entry.Payload.Items.Select(i => (JsonNode)i)]);
        json["key"] = entry.Payload.Key;
        json["signer"] = judged.Verdict?.Signer?.Name;
        json["signature"] = SignatureName(judged);
        if (judged.Repeats is { } repeats)
            json["repeats"] = DecimalText.Format(repeats);
        if (judged.Verdict?.Later is { } later)
        {
            json["later"] = new JsonObject
            {
                ["compromisedSince"] = Timestamps.Format(later.CompromisedSince),
                ["toldBy"] = DecimalText.Format(later.Revocation.Entry),
                ["about"] = later.Subject.ToString().ToLowerInvariant(),
                ["place"] = DecimalText.Format(later.Place),
                ["provedNoLaterThan"] = later.Proved is { } proved ? Timestamps.Format(proved.NoLaterThan) : null,
                ["provedBefore"] = later.IsProvedBefore,
                ["detail"] = later.ToString(),
            };
        }

        json["body"] = entry.Payload.Body.DeepClone();
        return json;
    }

    /// <summary>An entry on one line.</summary>
    internal static string Line(JudgedEntry judged) => judged.Entry is { } entry
        ? $"entry {judged.Index}, {entry.Payload.Time}: {Sentence(judged, entry)}"
        : $"entry {judged.Index} is not a well-formed entry: {judged.Defect}";

    /// <summary>An entry with what it rests on.</summary>
    internal static void Print(TextWriter text, JudgedEntry judged)
    {
        if (judged.Entry is not { } entry)
        {
            text.WriteLine($"{judged.Index,5}  not a well-formed entry: {judged.Defect}");
            return;
        }

        text.WriteLine($"{judged.Index,5}  {entry.Payload.Time}  {entry.Payload.Kind}{(entry.Payload.Case is null ? "" : $"  case {entry.Payload.Case}")}");
        text.WriteLine($"       {Sentence(judged, entry)}");
        foreach (string detail in Details(entry.Payload))
            text.WriteLine($"       {detail}");
        text.WriteLine($"       {Signature(judged)}");
        if (judged.Verdict?.Later is { } later)
            text.WriteLine($"       {later}");
        if (judged.Repeats is { } repeats)
            text.WriteLine($"       It says what entry {repeats} says: anybody can repeat that, with other signatures, and it counts once.");
    }

    /// <summary>The image that an acquisition made the vault's; null for other entries.</summary>
    internal static Hashing.Sha256Digest? ImageOf(JudgedEntry judged) =>
        judged.Entry is { Payload: { Kind: EntryKind.Acquisition } payload } && Hashing.Sha256Digest.TryParse(Field(payload, "image"), out Hashing.Sha256Digest image) ? image : null;

    private static string Sentence(JudgedEntry judged, LedgerEntry entry)
    {
        EntryPayload payload = entry.Payload;
        string who = judged.Verdict?.Signer?.Name ?? "An unknown key";
        string items = payload.Items.Count == 0 ? "" : string.Join(", ", payload.Items);
        return payload.Kind switch
        {
            EntryKind.Identity when Field(payload, "subject") == "vault" => $"{who} began this ledger for the vault {Field(payload, "origin")}.",
            EntryKind.Identity when Field(payload, "subject") == "rotation" => $"{who} put a new key, {Short(payload)}, in the place of the old one.",
            EntryKind.Identity when Field(payload, "subject") == "revocation" => $"{who} revoked the key {Short(payload)}" +
                (Field(payload, "compromisedSince") is { } since ? $", compromised since {since}" : "") +
                (Field(payload, "reason") is { } reason ? $": {reason}" : "."),
            EntryKind.Identity => $"{who} declared the key of {Field(payload, "name")}.",
            EntryKind.Acquisition => $"{who} imaged {items} from {Field(payload, "source")}: {Size(payload, "size")}, " +
                (Field(payload, "readBack") == "verified" ? "read back and verified." : "not read back.") +
                (payload.Body["live"] is JsonValue live && live.TryGetValue(out bool isLive) && isLive ? " The source was live." : "") +
                (Field(payload, "absentBytes") is "0" or null ? "" : $" {Size(payload, "absentBytes")} could not be read."),
            EntryKind.Verification => $"{who} verified {(items.Length == 0 ? "the vault" : items)}: {Field(payload, "content")} ({Field(payload, "scope")}).",
            EntryKind.Repair => $"{who} repaired {(items.Length == 0 ? "the vault" : items)}: {Nested(payload, "segments", "count")} segments brought back, " +
                $"{Field(payload, "setAsideCount")} damaged packs set aside{(Field(payload, "missingBytes") is "0" or null ? "." : $"; {Size(payload, "missingBytes")} are missing still.")}",
            EntryKind.Export when Field(payload, "format") == "file" => $"{who} handed out a file of {items}, {Size(payload, "length")}.",
            EntryKind.Export => $"{who} handed out {Size(payload, "length")} of {items} as {Field(payload, "format")}, from offset {Field(payload, "offset")}.",
            EntryKind.Transfer when Field(payload, "act") == "offer" => $"{who} offered {items} to {Nested(payload, "to", "name")}.",
            EntryKind.Transfer => $"{who} {Field(payload, "act") switch { "acceptance" => "accepted", "refusal" => "refused", _ => "took back" }} " +
                $"{items}, as offered{(Field(payload, "text") is { } said ? $": {said}" : ".")}",
            EntryKind.Access => $"{who} opened {items} to be looked into, through {Field(payload, "means")}{(Field(payload, "place") is { } place ? $" at {place}" : "")}.",
            EntryKind.Correction => $"{who} corrected entry {Field(payload, "corrects")}: {Field(payload, "text")}",
            EntryKind.Receipt => $"{who} verified the replica {Field(payload, "replica") ?? "(a copy that names none)"} of {Field(payload, "origin")} from the medium, " +
                $"{Field(payload, "imageCount")} images in a ledger of {Field(payload, "size")} entries: {Field(payload, "content")}.",
            EntryKind.Timestamp => $"{who} had the first {Field(payload, "size")} entries time-stamped by {Field(payload, "authority")}: {Field(payload, "genTime")}.",
            EntryKind.Erasure => $"{who} destroyed the opening of the commitment {Field(payload, "opening")}{(Field(payload, "reason") is { } why ? $": {why}" : ".")}",
            EntryKind.Note => $"{who} noted{(items.Length == 0 ? "" : $" on {items}")}: {Field(payload, "text")}",
            _ => DocketText.Sentence(who, payload),
        };
    }

    private static IEnumerable<string> Details(EntryPayload payload)
    {
        if (payload.Kind == EntryKind.Acquisition)
        {
            yield return $"image sha256:{Field(payload, "image")}";
            if (payload.Body["digests"] is JsonObject digests)
            {
                foreach ((string name, JsonNode? value) in digests)
                    yield return $"{name} {value}";
            }

            foreach ((string name, string words) in ((string, string)[])[("examiner", "examiner"), ("writeBlocker", "write blocker"), ("seal", "seal")])
            {
                if (Field(payload, name) is { } said)
                    yield return $"{words} {said}";
            }
        }
        else if (payload.Kind == EntryKind.Transfer)
        {
            foreach ((string name, string words) in ((string, string)[])[("seals", "seal"), ("containers", "in")])
            {
                foreach (JsonNode? mark in payload.Body[name] as JsonArray ?? [])
                    yield return $"{words} {mark}";
            }

            foreach (JsonObject image in (payload.Body[Field(payload, "act") == "offer" ? "images" : "verified"] as JsonArray ?? []).OfType<JsonObject>())
                yield return $"image sha256:{image["image"]}: {image["verified"]?.ToString() ?? "not verified for this handover"}";
            if (Field(payload, "offer") is { } offer)
                yield return $"the offer is the entry with the leaf hash {offer}";
        }
        else if (payload.Kind == EntryKind.Repair && payload.Body["from"] is JsonArray origins)
        {
            foreach (JsonObject origin in origins.OfType<JsonObject>())
                yield return $"from {origin["name"]}: {origin["segments"]} segments";
        }
        else if (payload.Kind == EntryKind.Export && Field(payload, "sha256") is { } digest)
        {
            yield return $"sha256 of what was handed out {digest}";
        }
        else
        {
            foreach (string detail in DocketText.Details(payload))
                yield return detail;
        }
    }

    private static string Signature(JudgedEntry judged) => judged.Verdict?.Status switch
    {
        EntrySignatureStatus.Valid => $"signature of {judged.Verdict.Signer!.Name}, key {judged.Entry!.Payload.Key[..15]}: good",
        EntrySignatureStatus.Invalid => "SIGNATURE WRONG: this entry proves nothing",
        EntrySignatureStatus.Ended => $"signature of {judged.Verdict.Signer!.Name} by a key that signs no more, {judged.Verdict.KeyEnd}: nobody vouches for this entry",
        _ => "signed by a key that no entry before it declares",
    };

    private static string SignatureName(JudgedEntry judged) => judged.Verdict?.Status switch
    {
        EntrySignatureStatus.Valid => "valid",
        EntrySignatureStatus.Invalid => "invalid",
        EntrySignatureStatus.Ended => "ended",
        _ => "unknown-signer",
    };

    private static string? Field(EntryPayload payload, string name) =>
        payload.Body[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string Short(EntryPayload payload) => Field(payload, "keyId") is { Length: > 15 } keyId ? keyId[..15] : "(of no valid id)";

    private static string? Nested(EntryPayload payload, string parent, string name) =>
        payload.Body[parent] is JsonObject inner && inner[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string Size(EntryPayload payload, string name) =>
        DecimalText.TryParse(Field(payload, name), out long bytes) ? Units.Exact(bytes) : "an unknown number of bytes";
}
