using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>What the ledger's acquisition entry says of an image.</summary>
/// <param name="Image">The image's id.</param>
/// <param name="Item">What people call the thing that was imaged.</param>
/// <param name="Case">The case that it belongs to.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Root">Its map's root.</param>
/// <param name="Verified">Whether it was read back from the medium when it was made.</param>
/// <param name="Time">When the actor claims that it was made.</param>
/// <param name="Entry">The entry's index.</param>
public sealed record ImageRecord(
    Sha256Digest Image, string Item, string? Case, long Size, Sha256Digest Root, bool Verified, Instant Time, long Entry)
{
    /// <summary>What the entry's signature is worth. Only a valid one makes an image the vault's.</summary>
    public EntrySignatureStatus Signature { get; init; }

    /// <summary>Whether the source was in use when it was read, so that the image is of no single moment; null where the entry does not say.</summary>
    public bool? IsLive { get; private init; }

    /// <summary>The serial of the disk that it was made from, as the disk said it; null where the entry does not say.</summary>
    public string? Serial { get; private init; }

    /// <summary>The bytes that were not read; null where the entry does not say.</summary>
    internal long? AbsentBytes { get; private init; }

    /// <summary>The bytes of the drive that it hid, as it said itself, so that they are not in the image; 0 where it told of none.</summary>
    internal long HiddenBytes { get; private init; }

    /// <summary>What the entry says of the source's description, in canonical form.</summary>
    private string Source { get; init; } = "";

    /// <summary>The digests of the whole image in canonical form; null where the entry does not say.</summary>
    internal string? Digests { get; private init; }

    /// <summary>The image that this one continues.</summary>
    public Sha256Digest? Continues { get; init; }

    /// <summary>Whether what the entry says of digests, of bytes that were not read and of the source is what a manifest says.</summary>
    internal bool AgreesWith(ImageManifest manifest) =>
        (AbsentBytes is null || AbsentBytes == AbsentBytesOf(manifest)) &&
        Continues == manifest.Continues &&
        string.Equals(Source, Canonical(SourceOf(manifest.Source)), StringComparison.Ordinal) &&
        (Digests is null || string.Equals(Digests, Canonical(EncodeDigests(manifest)), StringComparison.Ordinal));

    /// <summary>Reads an acquisition entry; null where its body is not one.</summary>
    internal static ImageRecord? TryRead(long index, EntryPayload payload, EntrySignatureStatus signature)
    {
        try
        {
            return new ImageRecord(
                Sha256Digest.Parse(payload.Body.RequireDigest("image")),
                payload.Items.Count == 1 ? payload.Items[0] : throw new FormatException("An acquisition concerns one item."),
                payload.Case,
                payload.Body.RequireDecimal("size"),
                Sha256Digest.Parse(payload.Body.RequireDigest("root")),
                string.Equals(payload.Body.RequireString("readBack"), "verified", StringComparison.Ordinal),
                payload.Time,
                index)
            {
                Signature = signature,
                Continues = payload.Body.ContainsKey("continues") && payload.Body.RequireNullableString("continues") is { } continued
                    ? Sha256Digest.Parse(continued) : null,
                IsLive = payload.Body.ContainsKey("live") ? payload.Body.RequireBoolean("live") : null,
                Serial = payload.Body.ContainsKey("serial") ? payload.Body.RequireNullableString("serial") : null,
                AbsentBytes = payload.Body.ContainsKey("absentBytes") ? payload.Body.RequireDecimal("absentBytes") : null,
                HiddenBytes = payload.Body.ContainsKey("hiddenSectors") ? HiddenBytesOf(payload.Body.RequireObject("hiddenSectors")) : 0,
                Source = Canonical(SourceOf(payload.Body)),
                Digests = payload.Body.ContainsKey("digests") ? Canonical(payload.Body.RequireObject("digests")) : null,
            };
        }
        catch (FormatException)
        {
            // Another program's entry of that kind: it names no image of ours.
            return null;
        }
    }

    /// <summary>What of the source's description the ledger says too, so that it can be read where the vault is not at hand.</summary>
    private static readonly string[] SourceFields =
    [
        "vendor", "model", "serial", "firmware", "wwid", "sectorSize", "physicalSectorSize", "readOnly", "live", "hiddenSectors",
    ];

    private static readonly string[] HiddenFields = ["hpa", "dco", "unallocated"];

    /// <summary>That of a manifest's source, or of an entry's body.</summary>
    private static JsonObject SourceOf(JsonObject json) =>
        new(SourceFields.Where(field => json[field] is not null).Select(field => KeyValuePair.Create(field, (JsonNode?)json[field]!.DeepClone())));

    /// <summary>What a drive says that it hides, and no image of it has; other namespaces are other disks.</summary>
    private static long HiddenBytesOf(JsonObject hidden) => long.CreateSaturating(
        HiddenFields.Where(hidden.ContainsKey).Aggregate(Int128.Zero, (sum, field) => sum + hidden.RequireDecimal(field)));

    /// <summary>The body of an acquisition entry.</summary>
    internal static JsonObject EncodeBody(Sha256Digest image, ImageManifest manifest, bool verified)
    {
        var body = new JsonObject
        {
            ["image"] = image.ToString(),
            ["root"] = manifest.Root.ToString(),
            ["size"] = DecimalText.Format(manifest.Size),
            ["source"] = manifest.Source["name"]!.GetValue<string>(),
            ["examiner"] = manifest.Examiner,
            ["digests"] = EncodeDigests(manifest),
            ["absentBytes"] = DecimalText.Format(AbsentBytesOf(manifest)),
            ["continues"] = manifest.Continues?.ToString(),
            ["differences"] = new JsonArray([.. manifest.Differences.Select(d => (JsonNode)d.What)]),
            ["readBack"] = verified ? "verified" : "skipped",
        };
        foreach ((string field, JsonNode? value) in SourceOf(manifest.Source))
            body[field] = value!.DeepClone();

        if (manifest.Source["encryption"] is JsonArray signs)
        {
            // A disk may have more encrypted partitions than an entry has room for; where each of them is stands in the manifest.
            IEnumerable<string> schemes = signs.Select(sign => sign!["scheme"]!.GetValue<string>()).Distinct(StringComparer.Ordinal);
            body["encryption"] = new JsonArray([.. schemes.Select(scheme => (JsonNode)scheme)]);
        }

        if (manifest.WriteBlocker is not null)
            body["writeBlocker"] = manifest.WriteBlocker;
        if (manifest.Seal is not null)
            body["seal"] = manifest.Seal;
        if (manifest.Clock is not null)
            body["clock"] = manifest.Clock.Encode();
        if (manifest.Container is not null)
            body["container"] = manifest.Container.EncodeSummary();
        return body;
    }

    /// <summary>A manifest that lies may claim more than can be counted; that is then not what any entry says.</summary>
    private static long AbsentBytesOf(ImageManifest manifest) =>
        manifest.Absent.Aggregate(0L, (sum, range) => unchecked(sum + range.Length));

    private static JsonObject EncodeDigests(ImageManifest manifest)
    {
        var digests = new JsonObject();
        foreach (ImageDigest digest in manifest.Digests)
            digests[digest.Algorithm.Name()] = digest.Value;
        return digests;
    }

    private static string Canonical(JsonObject json) => Convert.ToHexStringLower(CanonicalJson.Serialize(json));
}
