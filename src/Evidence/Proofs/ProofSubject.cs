using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Proofs;

/// <summary>What a proof is about: one entry; an image by its acquisition entry, or a range of its bytes; or all entries that concern an item.</summary>
public sealed record ProofSubject
{
    private ProofSubject()
    {
    }

    /// <summary>The entry's place in the log; null where the subject is all entries of an item.</summary>
    public long? Entry { get; private init; }

    /// <summary>The image that the entry records; null where the subject is no image.</summary>
    public Sha256Digest? Image { get; private init; }

    /// <summary>The first byte of the range; null where the subject is no range.</summary>
    public long? Offset { get; private init; }

    /// <summary>The range's length in bytes, at least 1; null likewise.</summary>
    public long? Length { get; private init; }

    /// <summary>The item; null where the subject is an entry.</summary>
    public string? Item { get; private init; }

    /// <summary>An entry.</summary>
    public static ProofSubject OfEntry(long entry) => new() { Entry = entry };

    /// <summary>An image, or, with offset and length, a range of it.</summary>
    public static ProofSubject OfImage(long entry, Sha256Digest image, long? offset = null, long? length = null) =>
        new() { Entry = entry, Image = image, Offset = offset, Length = length };

    /// <summary>All entries that concern an item.</summary>
    public static ProofSubject OfItem(string item) => new() { Item = item };

    /// <summary>Whether an entry is one of those that it is about.</summary>
    internal bool Concerns(JudgedEntry entry) => entry.Index == Entry || (Item is not null && entry.Entry?.Payload.Items.Contains(Item, StringComparer.Ordinal) == true);

    internal JsonObject ToJson()
    {
        var json = new JsonObject();
        if (Item is not null)
            json["item"] = Item;
        if (Entry is { } entry)
            json["entry"] = DecimalText.Format(entry);
        if (Image is { } image)
            json["image"] = image.ToString();
        if (Offset is { } offset)
            json["offset"] = DecimalText.Format(offset);
        if (Length is { } length)
            json["length"] = DecimalText.Format(length);
        return json;
    }

    /// <exception cref="FormatException">It is none of the forms.</exception>
    internal static ProofSubject Read(JsonObject json)
    {
        string[] fields = [.. json.Select(field => field.Key).Order(StringComparer.Ordinal)];
        return fields switch
        {
            ["item"] => OfItem(json.RequireString("item")),
            ["entry"] => OfEntry(json.RequireDecimal("entry")),
            ["entry", "image"] => OfImage(json.RequireDecimal("entry"), Sha256Digest.Parse(json.RequireDigest("image"))),
            ["entry", "image", "length", "offset"] when json.RequireDecimal("length") > 0 => OfImage(
                json.RequireDecimal("entry"), Sha256Digest.Parse(json.RequireDigest("image")), json.RequireDecimal("offset"), json.RequireDecimal("length")),
            _ => throw new FormatException("The proof's subject is neither an item, nor an entry, nor an image or a range of it."),
        };
    }
}
