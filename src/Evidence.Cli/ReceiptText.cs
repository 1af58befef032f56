using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>Who has an image besides, by the receipts in the ledger.</summary>
internal static class ReceiptText
{
    internal static JsonArray ToJson(IEnumerable<ImageReceipt> receipts) => new([.. receipts.Select(r => new JsonObject
    {
        ["entry"] = DecimalText.Format(r.Receipt.Entry),
        ["signer"] = r.Receipt.Signer.Name,
        ["key"] = r.Receipt.Signer.KeyId,
        ["time"] = Timestamps.Format(r.Receipt.Time),
        ["content"] = r.Content,
        ["replica"] = r.Receipt.Receipt.Replica,
        ["size"] = DecimalText.Format(r.Receipt.Receipt.Size),
    })]);

    /// <summary>Of each image that has receipts: its own.</summary>
    internal static JsonObject ToJson(ReceiptBook book)
    {
        var json = new JsonObject();
        foreach (Hashing.Sha256Digest image in book.Images.Where(i => book.Of(i).Count > 0))
            json[$"sha256:{image}"] = ToJson(book.Of(image));
        return json;
    }

    /// <summary>A line for all of an image's receipts: each party's newest word.</summary>
    internal static string Line(IReadOnlyCollection<ImageReceipt> receipts)
    {
        if (receipts.Count == 0)
            return "no receipt: nobody else has said that they hold it";
        IEnumerable<string> parties = receipts.GroupBy(r => r.Receipt.Signer.KeyId, StringComparer.Ordinal).Select(g => g.Last())
            .Select(r => $"{r.Receipt.Signer.Name} ({r.Content}, ledger up to {Units.Count(r.Receipt.Receipt.Size)} entries, entry {r.Receipt.Entry})");
        return $"{Units.Count(receipts.Count)} {(receipts.Count == 1 ? "receipt" : "receipts")}, by {string.Join(", ", parties)}";
    }
}
