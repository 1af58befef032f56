using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>
/// Personal data that entries commit to and do not hold: contacts. An entry has the commitment, which says nothing without its opening; the opening lies here, and can be
/// destroyed without breaking a proof. Only its keeper can read it (mode 0400), and replicas do not get it (<c>docs/format/vault.md</c>).
/// </summary>
public sealed class VaultOpenings
{
    /// <summary>The longest reason for a destruction, in characters.</summary>
    public const int LongestReason = 1000;

    private readonly VaultLayout layout;
    private readonly VaultLedger ledger;
    private readonly VaultAccess access;

    internal VaultOpenings(VaultLayout layout, VaultLedger ledger, VaultAccess access) => (this.layout, this.ledger, this.access) = (layout, ledger, access);

    /// <summary>Keeps a value, and makes a commitment to it for an entry. The same value committed to again has another commitment: who sees both learns nothing.</summary>
    /// <param name="value">The value; its canonical JSON has less than 32 KiB.</param>
    /// <returns>The commitment. Its opening is durable.</returns>
    /// <exception cref="EvidenceException">The value has no canonical JSON or is too long (<see cref="ErrorCode.Usage"/>), or the vault cannot be written.</exception>
    public Sha256Digest Commit(JsonObject value)
    {
        ArgumentNullException.ThrowIfNull(value);
        byte[] bytes;
        try
        {
            bytes = Opening.Encode(value);
        }
        catch (ArgumentException e)
        {
            throw new EvidenceException(ErrorCode.Usage, $"The value cannot be committed to: {e.Message}", e);
        }

        if (bytes.Length > Opening.LargestSize)
            throw new EvidenceException(ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"The value has {bytes.Length} bytes, more than the {Opening.LargestSize} that can be kept."));
        ledger.DemandWritable();
        var commitment = Sha256Digest.Compute(bytes);
        DurableFile.CreateDirectory(layout.Openings);
        using StagingFolder staging = StagingFolder.Create(layout, access.Logger);
        // Nobody can have put anything there: the name comes of a salt that was made just now.
        _ = DurableFile.TryCreate(layout.Opening(commitment), bytes, staging.FolderPath, secret: true);
        return commitment;
    }

    /// <summary>What a commitment is to.</summary>
    /// <returns>Null where its opening is not here: destroyed, or in another vault.</returns>
    /// <exception cref="EvidenceException">It is not what its name says (<see cref="ErrorCode.ContentRefuted"/>), or may not be read.</exception>
    public JsonObject? TryOpen(Sha256Digest commitment)
    {
        string path = layout.Opening(commitment);
        return DurableFile.Translate(path, "read", () =>
        {
            try
            {
                return Opening.Decode(VaultFiles.ReadBounded(path, Opening.LargestSize), commitment);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
            catch (FormatException e)
            {
                throw new EvidenceException(ErrorCode.ContentRefuted, $"The opening {path} is damaged: {e.Message} Only a copy of that very file brings it back.", e);
            }
        });
    }

    /// <summary>
    /// Destroys an opening. First an entry says so, then the file is overwritten and removed. What is not in this vault (copies, snapshots, what the medium or the file system
    /// kept of older writes) is not reached. Called again, it ends what was interrupted.
    /// </summary>
    /// <param name="commitment">The commitment.</param>
    /// <param name="reason">Why: 1 to <see cref="LongestReason"/> characters without the data themselves, or null.</param>
    /// <returns>The index of the entry that says so, which may be an earlier one; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no such opening (<see cref="ErrorCode.DocumentNotFound"/>), or the ledger cannot be written: then nothing is destroyed.</exception>
    public long? Destroy(Sha256Digest commitment, string? reason = null)
    {
        if (reason is not null and not { Length: > 0 and <= LongestReason })
            throw new EvidenceException(ErrorCode.Usage, $"A reason has 1 to {LongestReason} characters.");
        ledger.DemandWritable();
        string path = layout.Opening(commitment);
        bool isHere = Path.Exists(path) || new FileInfo(path).LinkTarget is not null;
        long? entry = FindErasure(commitment);
        if (entry is null && !isHere)
            throw new EvidenceException(ErrorCode.DocumentNotFound, $"There is no opening {commitment} in {layout.Folder}, and no entry says that it was destroyed.");
        entry ??= ledger.Record(EntryKind.Erasure, [], null, ErasureRecord.Encode(commitment, reason));
        if (isHere)
        {
            DurableFile.Erase(path);
            Log.OpeningDestroyed(access.Logger, path);
        }

        return entry;
    }

    /// <summary>The commitments whose openings are here, by their names alone, in the order of those.</summary>
    /// <exception cref="EvidenceException">The folder cannot be listed.</exception>
    public IReadOnlyList<Sha256Digest> List() => layout.ListOpenings();

    private long? FindErasure(Sha256Digest commitment) => ledger.Entries()
        .Where(judged => judged is { Entry: { } entry, Verdict.Status: EntrySignatureStatus.Valid } && ErasureRecord.OpeningOf(entry.Payload) == commitment)
        .Select(judged => (long?)judged.Index).FirstOrDefault();
}
