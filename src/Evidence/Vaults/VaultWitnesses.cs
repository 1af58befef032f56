using System.Globalization;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Evidence.Ledger.Witnesses.Http;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>Witnesses for a vault's ledger: others who cosign its checkpoints, asked over the network or by files. What they answer is kept beside the ledger.</summary>
public sealed class VaultWitnesses
{
    private readonly VaultLedger ledger;
    private readonly VaultAccess access;

    internal VaultWitnesses(VaultLedger ledger, VaultAccess access) => (this.ledger, this.access) = (ledger, access);

    /// <summary>
    /// Asks the witnesses of a policy, over HTTP and all at once, to cosign the ledger as of now. What they answer is verified, and kept beside the ledger; where it
    /// makes the quorum, as its newest witnessed checkpoint. Nothing else waits for it: it may run in the background, and any number of times.
    /// </summary>
    /// <param name="policy">The policy; see <see cref="KeyStore.FindPolicy"/>.</param>
    /// <param name="options">How they are asked; null for the usual.</param>
    /// <param name="cancellation">Gives up. What was answered by then is kept.</param>
    /// <exception cref="EvidenceException">The ledger is damaged, or cannot be written, or the policy knows logs and this is none of them.</exception>
    public Task<AskedWitnesses> AskAsync(WitnessPolicy policy, WitnessClientOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return AskAsync(policy, policy.Witnesses, options, cancellation);
    }

    /// <summary>The same of some of the policy's witnesses.</summary>
    internal async Task<AskedWitnesses> AskAsync(
        WitnessPolicy policy, IReadOnlyList<PolicyWitness> witnesses, WitnessClientOptions? options, CancellationToken cancellation)
    {
        WitnessExchange exchange = Exchange(policy, out CustodyLedger opened);
        using var client = new WitnessClient(options ?? new WitnessClientOptions());
        WitnessReply[] replies = await client.AskAllAsync(exchange, witnesses, cancellation).ConfigureAwait(false);
        return new AskedWitnesses(opened.Checkpoint, [.. replies.Select(Keep)], exchange.Verdict);
    }

    /// <summary>Keeps what a witness's checkpoint proves against the ledger, and says where.</summary>
    private WitnessReply Keep(WitnessReply reply)
    {
        if (reply.Conflict is not { } conflict)
            return reply;
        WitnessConflict kept = conflict with { File = TryKeep(conflict) };
        return reply with { Conflict = kept, Detail = $"{reply.Detail} {Told(kept)}" };
    }

    private string? TryKeep(WitnessConflict conflict)
    {
        try
        {
            return access.Keys?.KeepConflict(ledger.Origin, conflict.Name, conflict.ToBytes());
        }
        catch (EvidenceException e)
        {
            // That there is such a thing matters more than where it is.
            Log.ConflictNotKept(access.Logger, ledger.Origin, e);
            return null;
        }
    }

    private static string Told(WitnessConflict kept) => kept.File is null ? "It could not be kept here, or many are kept already."
        : kept.Proof is null ? $"The checkpoint is kept as {kept.File}."
        : $"The proof, which anybody can check who has the log's public keys ('evidence check'), is {kept.File}.";

    /// <summary>Makes a request that can be carried to a witness as a file.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="path">The file; what was there is replaced.</param>
    /// <param name="witness">What the policy calls the witness; null for its only one. Not needed where <paramref name="oldSize"/> is given.</param>
    /// <param name="oldSize">The size that the witness cosigned last; null for what is known of it.</param>
    /// <param name="cancellation">Heeded while another writer is waited for.</param>
    /// <returns>The checkpoint that it is for.</returns>
    /// <exception cref="EvidenceException">It is not known which witness is meant, or the ledger is damaged or cannot be written.</exception>
    public Checkpoint WriteRequest(
        WitnessPolicy policy, string path, string? witness = null, long? oldSize = null, CancellationToken cancellation = default)
    {
        WitnessExchange exchange = Exchange(policy, out CustodyLedger opened);
        long old = oldSize ?? exchange.LastSizeOf(policy.FindWitness(witness));
        if (old < 0 || old > opened.Size)
            throw new EvidenceException(ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"The ledger has {opened.Size} entries, so no witness cosigned {old} of them."));
        DurableFile.Replace(Path.GetFullPath(path), exchange.GiveOut(old, cancellation));
        return opened.Checkpoint;
    }

    /// <summary>Takes in a witness's answer that was carried here as a file.</summary>
    /// <param name="policy">The policy: only cosignatures of its witnesses are kept.</param>
    /// <param name="path">The answer's file.</param>
    /// <param name="cancellation">Heeded while another writer is waited for.</param>
    /// <exception cref="EvidenceException">
    /// It holds no cosignature of theirs on a checkpoint of this ledger (<see cref="ErrorCode.WitnessFailed"/>), or the ledger is damaged or cannot be written. Or it is the
    /// witness's last checkpoint, and shows that the ledger was set back (<see cref="ErrorCode.LedgerRollback"/>) or is another history (<see cref="ErrorCode.LedgerFork"/>):
    /// then that is kept.
    /// </exception>
    public AcceptedAnswer AcceptAnswer(WitnessPolicy policy, string path, CancellationToken cancellation = default)
    {
        byte[] answer = SmallFile.Read(path, SignedNote.MaximumLength);
        WitnessExchange exchange = Exchange(policy, out _);
        if (!IsNote(answer))
            return exchange.Accept(answer, cancellation);
        (WitnessConflict? conflict, string says) = exchange.Examine(answer);
        if (conflict is null)
            throw new EvidenceException(ErrorCode.WitnessFailed, $"{path} is a checkpoint, and no answer to a request. {says}");
        WitnessConflict kept = conflict with { File = TryKeep(conflict) };
        throw new EvidenceException(kept.Proof is null ? ErrorCode.LedgerRollback : ErrorCode.LedgerFork, $"{says} {Told(kept)}");
    }

    private static bool IsNote(byte[] answer)
    {
        try
        {
            _ = SignedNote.Parse(answer);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private WitnessExchange Exchange(WitnessPolicy policy, out CustodyLedger opened)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (policy.Logs.Count > 0 && policy.KeysOf(ledger.Origin).Count == 0)
        {
            throw new EvidenceException(
                ErrorCode.PolicyInvalid, $"The policy names logs, and {ledger.Origin} is none of them. Add its keys to the policy ('evidence identity list' prints them), or take all its lines 'log' out.");
        }

        opened = ledger.Open();
        if (opened.SignedNote.IsEmpty)
            throw new EvidenceException(ErrorCode.LedgerDamaged, "The ledger has no checkpoint, so there is nothing to cosign.");
        var exchange = new WitnessExchange(ledger.Storage, opened, ledger.Keys(), policy);
        foreach ((string file, string defect) in exchange.Tampered())
            Log.CosignedNoteTampered(access.Logger, file, defect);
        return exchange;
    }
}
