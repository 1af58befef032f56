using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Vaults;

namespace Evidence.Preservation;

/// <summary>
/// Judges the time stamps that a ledger's entries name. What a stamp is worth follows from its file, whom the policy trusts, and the log's keys, and takes long to find out, for
/// its chain of certificates; so it is remembered by those. That it is of this history is held against the ledger each time.
/// </summary>
internal sealed class StampJudge(VaultLedger vault, Docket docket)
{
    private const string Name = "stamps-1";

    /// <summary>The times that count by a policy.</summary>
    /// <param name="authorities">The SHA-256 of the certificates of the authorities that count.</param>
    internal OutsideTimes Judge(IReadOnlyCollection<Sha256Digest> authorities)
    {
        IReadOnlyList<VerifierKey> keys = vault.Keys();
        JsonObject known = Recall();
        int before = known.Count;
        var times = new List<OutsideTime>();
        var lost = new List<LostStamp>();
        foreach (NamedStamp stamp in docket.Stamps.DistinctBy(stamp => stamp.File, StringComparer.Ordinal))
        {
            byte[]? bytes = vault.Storage.TryRead(stamp.File, TimestampDocument.LargestSize + 1);
            if (bytes is null || Sha256Digest.Compute(bytes) != TimestampDocument.DigestOf(stamp.File))
            {
                lost.Add(new LostStamp(stamp.Entry, stamp.File, IsThere: bytes is not null));
                continue;
            }

            string key = KeyOf(stamp.File, authorities, keys);
            if (known[key] is not JsonObject said)
                known[key] = said = Encode(LedgerTimestamps.Judge(vault.Storage, stamp.File, docket.Ledger, keys, authorities));
            if (TryDecode(said, stamp.Entry) is { } time)
                times.Add(time);
        }

        if (known.Count > before)
            vault.Memory?.Write(Name, CanonicalJson.Serialize(known));
        return new OutsideTimes(times, lost);
    }

    private JsonObject Recall()
    {
        try
        {
            return vault.Memory?.TryRead(Name) is { } bytes ? JsonFields.RequireObject(CanonicalJson.Parse(bytes), "What is remembered of stamps") : [];
        }
        catch (FormatException)
        {
            // Of another version of this software.
            return [];
        }
    }

    private static string KeyOf(string file, IEnumerable<Sha256Digest> authorities, IEnumerable<VerifierKey> keys) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', [file, "", .. authorities.Select(authority => authority.ToString()).Order(StringComparer.Ordinal), "", .. keys.Select(key => key.ToString()).Order(StringComparer.Ordinal)]))));

    private static JsonObject Encode(KeptTimestamp? kept) => kept is { Defect: null, Verdict: { Counts: true } verdict }
        ? new JsonObject
        {
            ["size"] = DecimalText.Format(verdict.Checkpoint.Size),
            ["root"] = verdict.Checkpoint.Root.ToString(),
            ["notBefore"] = Timestamps.Format(verdict.NotBefore),
            ["noLaterThan"] = Timestamps.Format(verdict.NoLaterThan),
            ["by"] = verdict.Authority,
        }
        : [];

    /// <summary>What a stamp proves; null where that is nothing, or it is of another history.</summary>
    private OutsideTime? TryDecode(JsonObject said, long entry)
    {
        if (said.Count == 0)
            return null;
        long size = said.RequireDecimal("size");
        return size <= entry && docket.Ledger.RootAt(size).ToString() == said.RequireString("root")
            ? new OutsideTime(entry, size, said.RequireInstant("notBefore"), said.RequireInstant("noLaterThan"), said.RequireString("by"))
            : null;
    }
}
