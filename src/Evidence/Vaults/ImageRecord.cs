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
    /// <summary>Reads an acquisition entry; null where its body is not one.</summary>
    internal static ImageRecord? TryRead(long index, EntryPayload payload)
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
                index);
        }
        catch (FormatException)
        {
            // Another program's entry of that kind: it names no image of ours.
            return null;
        }
    }

    /// <summary>The body of an acquisition entry.</summary>
    internal static JsonObject EncodeBody(Sha256Digest image, ImageManifest manifest, bool verified) => new()
    {
        ["image"] = image.ToString(),
        ["root"] = manifest.Root.ToString(),
        ["size"] = DecimalText.Format(manifest.Size),
        ["source"] = manifest.Source["name"]!.GetValue<string>(),
        ["examiner"] = manifest.Examiner,
        ["digests"] = new JsonObject(manifest.Digests.Select(d => KeyValuePair.Create(d.Algorithm.Name(), (JsonNode?)d.Value))),
        ["absentBytes"] = DecimalText.Format(manifest.Absent.Sum(r => r.Length)),
        ["readBack"] = verified ? "verified" : "skipped",
    };
}
