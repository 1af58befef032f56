using System.Buffers.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Proofs;

/// <summary>
/// A proof to carry (<c>docs/format/proof.md</c>): what it takes to check a statement about a ledger, or an image in it, with no vault and no network at hand.
/// Nothing in it is trusted for being there.
/// </summary>
internal sealed record ProofFile
{
    /// <summary>The longest file that is read.</summary>
    internal const int LargestSize = 512 << 20;

    private const string Format = "evidence-proof";

    internal required ProofSubject Subject { get; init; }

    /// <summary>The checkpoint, a signed note with its cosignatures.</summary>
    internal required byte[] Note { get; init; }

    /// <summary>Entries in the order of their places; all that the checkpoint commits to where the subject is all of an item's.</summary>
    internal required IReadOnlyList<ProvedEntry> Entries { get; init; }

    /// <summary>Time stamps, as they are kept beside a ledger, and what leads from the checkpoint of each to this one.</summary>
    internal IReadOnlyList<ProvedStamp> Stamps { get; init; } = [];

    /// <summary>The image's manifest; null where the subject is no image.</summary>
    internal byte[]? Manifest { get; init; }

    /// <summary>The pages of the map that the range touches.</summary>
    internal IReadOnlyList<ProvedPage> Pages { get; init; } = [];

    /// <summary>The content of the segments that the range touches, each once, in the order of their first runs. Read from the file while that is open.</summary>
    internal ProofContents Segments { get; init; } = ProofContents.None;

    /// <summary>Writes the file.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="segments">The content of <see cref="Segments"/>, which is written as it comes.</param>
    internal void Write(Stream file, IEnumerable<byte[]> segments)
    {
        byte[] json = Encode();
        if (Manifest is null)
        {
            file.Write(json);
            return;
        }

        ReadOnlySpan<byte> empty = "\"segments\":[]"u8;
        int hole = json.AsSpan().IndexOf(empty) + empty.Length - 1;
        file.Write(json, 0, hole);
        bool isFirst = true;
        foreach (byte[] content in segments)
        {
            file.Write(isFirst ? "\""u8 : ",\""u8);
            isFirst = false;
            var text = new byte[Base64.GetMaxEncodedToUtf8Length(content.Length)];
            _ = Base64.EncodeToUtf8(content, text, out _, out int written);
            file.Write(text, 0, written);
            file.Write("\""u8);
        }

        file.Write(json, hole, json.Length - hole);
    }

    /// <summary>The file's JSON without the segments' content.</summary>
    private byte[] Encode()
    {
        var json = new JsonObject
        {
            ["format"] = Format,
            ["version"] = 1,
            ["subject"] = Subject.ToJson(),
            ["checkpoint"] = Convert.ToBase64String(Note),
            ["entries"] = new JsonArray([.. Entries.Select(e => new JsonObject
            {
                ["index"] = DecimalText.Format(e.Index),
                ["entry"] = Convert.ToBase64String(e.Bytes),
                ["proof"] = Text(e.Proof),
            })]),
            ["timestamps"] = new JsonArray([.. Stamps.Select(s => new JsonObject { ["document"] = Convert.ToBase64String(s.Document), ["consistency"] = Text(s.Consistency) })]),
        };
        if (Manifest is not null)
        {
            json["manifest"] = Convert.ToBase64String(Manifest);
            json["pages"] = new JsonArray([.. Pages.Select(p => new JsonObject
            {
                ["number"] = DecimalText.Format(p.Number),
                ["page"] = Convert.ToBase64String(p.Bytes),
                ["proof"] = Text(p.Proof),
            })]);
            json["segments"] = new JsonArray();
        }

        return CanonicalJson.Serialize(json);
    }

    /// <summary>Reads a proof's file.</summary>
    /// <param name="file">The file, at its beginning. It can seek, and stays open for as long as <see cref="Segments"/> is used.</param>
    /// <exception cref="FormatException">It is no proof, or not in its one form.</exception>
    internal static ProofFile Read(Stream file)
    {
        (ReadOnlyMemory<byte> bytes, IReadOnlyList<ProofContents.Place> places) = ProofScanner.Run(file);
        JsonObject json = JsonFields.RequireObject(CanonicalJson.Parse(bytes.Span), "The proof");
        if (!string.Equals(json.RequireString("format"), Format, StringComparison.Ordinal) || json.RequireInteger("version") != 1)
            throw new FormatException($"It is no '{Format}' of version 1.");
        bool isImage = json.ContainsKey("manifest");
        json.RequireOnly(isImage
            ? ["format", "version", "subject", "checkpoint", "entries", "timestamps", "manifest", "pages", "segments"]
            : ["format", "version", "subject", "checkpoint", "entries", "timestamps"]);
        var subject = ProofSubject.Read(json.RequireObject("subject"));
        return isImage == subject.Image is not null
            ? new ProofFile
            {
                Subject = subject,
                Note = json.RequireBase64("checkpoint"),
                Entries = [.. Objects(json, "entries", "index", "entry", "proof").Select(e => new ProvedEntry(e.RequireDecimal("index"), e.RequireBase64("entry"), Hashes(e, "proof")))],
                Stamps = [.. Objects(json, "timestamps", "document", "consistency").Select(s => new ProvedStamp(s.RequireBase64("document"), Hashes(s, "consistency")))],
                Manifest = isImage ? json.RequireBase64("manifest") : null,
                Pages = isImage ? [.. Objects(json, "pages", "number", "page", "proof").Select(p => new ProvedPage(p.RequireDecimal("number"), p.RequireBase64("page"), Hashes(p, "proof")))] : [],
                // Its strings are cut out by now.
                Segments = isImage && json.RequireArray("segments").Count == 0 ? new ProofContents(file, places) : ProofContents.None,
            }
            : throw new FormatException("A manifest belongs to the proof of an image, and to no other.");
    }

    private static JsonArray Text(IEnumerable<Sha256Digest> hashes) => new([.. hashes.Select(hash => JsonValue.Create(Convert.ToBase64String(hash.ToArray())))]);

    private static IEnumerable<JsonObject> Objects(JsonObject json, string name, params string[] fields) => json.RequireArray(name).Select(node =>
    {
        JsonObject element = JsonFields.RequireObject(node, $"An element of '{name}'");
        element.RequireOnly(fields);
        return element;
    });

    private static Sha256Digest[] Hashes(JsonObject json, string name) =>
    [
        .. json.RequireStrings(name).Select(text => DecodeBase64(text, name) is { Length: Sha256Digest.Size } hash
            ? new Sha256Digest(hash)
            : throw new FormatException($"The field '{name}' holds what is no SHA-256.")),
    ];

    private static byte[] DecodeBase64(string text, string name) => new JsonObject { [name] = text }.RequireBase64(name);
}

/// <summary>An entry, and what proves that it is at its place.</summary>
internal sealed record ProvedEntry(long Index, byte[] Bytes, IReadOnlyList<Sha256Digest> Proof);

/// <summary>A time stamp's document, and what proves that its checkpoint is of the same history.</summary>
internal sealed record ProvedStamp(byte[] Document, IReadOnlyList<Sha256Digest> Consistency);

/// <summary>A page of an image's map, and what proves that it is at its place.</summary>
internal sealed record ProvedPage(long Number, byte[] Bytes, IReadOnlyList<Sha256Digest> Proof);
